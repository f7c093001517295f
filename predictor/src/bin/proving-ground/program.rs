//! What receives, as it is: our own receiver at a set pace, rsyslog over UDP, or nfcapd.

use std::io::{self, BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::str::FromStr;
use std::thread;
use std::time::{Duration, Instant};

use crate::ground::RECEIVER;
use crate::plan::Plan;

/// First port of those programs that are told theirs. They are alone in their namespace.
const FIRST_PORT: u16 = 5_140;

/// How long a program may take to listen.
const START: Duration = Duration::from_secs(10);

/// Records of a `NetFlow` v5 packet, and their bytes.
const RECORDS: u8 = 30;
const RECORD_BYTES: usize = 48;

/// Which program.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    Receiver,
    Rsyslog,
    Nfcapd,
}

impl FromStr for Program {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Receiver, Self::Rsyslog, Self::Nfcapd]
            .into_iter()
            .find(|program| program.name() == text)
            .ok_or_else(|| format!("`{text}` is no program: receiver, rsyslog or nfcapd"))
    }
}

impl Program {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Receiver => "receiver",
            Self::Rsyslog => "rsyslog",
            Self::Nfcapd => "nfcapd",
        }
    }

    /// What one datagram of it charges (Linux 6.18, x86-64).
    pub(crate) const fn charged_bytes(self) -> u64 {
        match self {
            Self::Receiver | Self::Nfcapd => 2_304,
            Self::Rsyslog => 832,
        }
    }

    /// A datagram that it takes.
    pub(crate) fn datagram(self) -> Vec<u8> {
        match self {
            Self::Receiver => vec![0; 1_000],
            Self::Rsyslog => b"<13>Nov 21 05:00:00 host program: a message of no importance".to_vec(),
            Self::Nfcapd => {
                // Version 5 and the number of records; flows of zeros are flows as well.
                let mut packet = vec![0; 24 + usize::from(RECORDS) * RECORD_BYTES];
                (packet[1], packet[3]) = (5, RECORDS);
                packet
            }
        }
    }
}

/// Programs that run, and their ports.
pub(crate) struct Programs {
    pub(crate) ports: Vec<u16>,
    running: Vec<Running>,
}

/// One of them; it ends with this.
struct Running {
    child: Child,
    /// Of our own receiver: it ends when this is closed, and says then what it read.
    own: Option<(ChildStdin, BufReader<ChildStdout>)>,
}

impl Programs {
    /// Starts them in the namespace of the calling thread; what they write goes to `folder`.
    pub(crate) fn start(plan: &Plan, folder: &Path) -> io::Result<Self> {
        let ports: Vec<u16> = (0..plan.receivers).map(|place| FIRST_PORT + place as u16).collect();
        let mut running = Vec::new();
        match plan.program {
            Program::Receiver => {
                for (place, port) in ports.iter().enumerate() {
                    let drain_pps = if place < plan.stuck { 0 } else { plan.drain_pps };
                    running.push(receiver(*port, drain_pps)?);
                }
            }
            Program::Rsyslog => running.push(rsyslog(&ports, folder)?),
            Program::Nfcapd => {
                for port in &ports {
                    let place = folder.join(port.to_string());
                    fs_err::create_dir_all(&place)?;
                    running.push(spawn(
                        Command::new("nfcapd").args(["-b", RECEIVER, "-p"]).arg(port.to_string()).arg("-w").arg(place),
                    )?);
                }
            }
        }
        let programs = Self { ports, running };
        programs.wait()?;
        Ok(programs)
    }

    /// Waits until all ports are bound.
    fn wait(&self) -> io::Result<()> {
        let began = Instant::now();
        loop {
            let text = fs_err::read_to_string("/proc/thread-self/net/udp")?;
            let is_bound = |port: &u16| text.contains(&format!(":{port:04X} 00000000:0000"));
            if self.ports.iter().all(is_bound) {
                return Ok(());
            }
            if began.elapsed() > START {
                return Err(io::Error::other("a program does not listen"));
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends them. What those read that count it themselves, in the order of ports.
    pub(crate) fn end(self) -> io::Result<Option<Vec<u64>>> {
        self.running.into_iter().map(Running::end).collect()
    }
}

impl Running {
    fn end(mut self) -> io::Result<Option<u64>> {
        let Some((stdin, mut stdout)) = self.own.take() else { return Ok(None) };
        drop(stdin);
        let mut line = String::new();
        stdout.read_line(&mut line)?;
        let count = line.trim().strip_prefix("received ").and_then(|count| count.parse().ok());
        count.map(Some).ok_or_else(|| io::Error::other(line))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn receiver(port: u16, drain_pps: u64) -> io::Result<Running> {
    let program = std::env::current_exe()?.with_file_name("receiver");
    let mut child = Command::new(program)
        .args([format!("{RECEIVER}:{port}"), drain_pps.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let missing = || io::Error::other("the receiver did not say that it is ready");
    let stdin = child.stdin.take().ok_or_else(missing)?;
    let mut stdout = BufReader::new(child.stdout.take().ok_or_else(missing)?);
    stdout.read_line(&mut String::new())?;
    Ok(Running { child, own: Some((stdin, stdout)) })
}

fn rsyslog(ports: &[u16], folder: &Path) -> io::Result<Running> {
    let place = folder.display();
    let input = |port: &u16| format!("input(type=\"imudp\" address=\"{RECEIVER}\" port=\"{port}\")");
    let inputs = ports.iter().map(input).collect::<Vec<_>>().join("\n");
    let text = format!(
        "global(workDirectory=\"{place}\")\nmodule(load=\"imudp\")\n{inputs}\naction(type=\"omfile\" file=\"{place}/messages\")\n"
    );
    let config = folder.join("rsyslog.conf");
    fs_err::write(&config, text)?;
    spawn(Command::new("rsyslogd").arg("-n").arg("-i").arg(folder.join("pid")).arg("-f").arg(config))
}

/// Through `setpriv`, so that a program does not outlive us if we are killed.
fn spawn(command: &Command) -> io::Result<Running> {
    let child = Command::new("setpriv")
        .args(["--pdeathsig", "KILL"])
        .arg(command.get_program())
        .args(command.get_args())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    Ok(Running { child, own: None })
}
