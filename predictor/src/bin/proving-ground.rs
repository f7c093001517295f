//! The core of the proving ground: unmodified receivers, bursts, and what each policy lost and held.
//!
//! ```text
//! proving-ground [--receivers 8] [--seconds 10] [--budget 8M] [--drain 20000] [--burst 2000] [--seed 1] [--policy NAME]...
//! ```
//! Every policy gets the same receivers and the same bursts (the same seed): every 250 ms one receiver, chosen at random, gets a burst
//! of 1,000 B datagrams at about 100,000 a second. Drops are those the kernel counted, and are checked against what was sent and what
//! was read; memory is the mean over all ticks of what the limits allow and of what was queued, in truesize. One JSON object a policy.

use std::cell::RefCell;
use std::io::{self, BufRead as _, BufReader};
use std::net::UdpSocket;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use forebay_predictor::control::Rules;
use forebay_predictor::eyes::Blind;
use forebay_predictor::policy::Kind;
use forebay_predictor::sidecar::{Control, Event, Report, Settings, Sidecar, run};
use forebay_predictor::target::{parse_size, parse_targets};

/// Time between the starts of two bursts.
const BURST_EVERY: Duration = Duration::from_millis(250);

/// Datagrams a second within a burst.
const BURST_PPS: f64 = 100_000.0;

/// Datagrams sent between two looks at the clock.
const TRAIN: u64 = 50;

/// Bytes of a datagram; it charges 2,304.
const DATAGRAM_BYTES: usize = 1_000;

/// How long the receivers may empty their queues at the end.
const SETTLE: Duration = Duration::from_secs(2);

#[derive(Clone)]
struct Plan {
    receivers: usize,
    seconds: u64,
    budget_bytes: u64,
    drain_pps: u64,
    burst: u64,
    seed: u64,
    policies: Vec<Kind>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let plan = Plan::read(std::env::args().skip(1))?;
    for kind in &plan.policies {
        println!("{}", prove(&plan, *kind)?);
    }
    Ok(())
}

impl Plan {
    fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self, Box<dyn std::error::Error>> {
        let mut plan = Self {
            receivers: 8,
            seconds: 10,
            budget_bytes: 8 << 20,
            drain_pps: 20_000,
            burst: 2_000,
            seed: 1,
            policies: Vec::new(),
        };
        while let Some(name) = arguments.next() {
            let value = arguments.next().ok_or_else(|| format!("{name} wants a value"))?;
            match name.as_str() {
                "--receivers" => plan.receivers = value.parse()?,
                "--seconds" => plan.seconds = value.parse()?,
                "--budget" => plan.budget_bytes = parse_size(&value).ok_or("--budget wants a size")?,
                "--drain" => plan.drain_pps = value.parse()?,
                "--burst" => plan.burst = value.parse()?,
                "--seed" => plan.seed = value.parse()?,
                "--policy" => plan.policies.push(value.parse()?),
                _ => return Err(format!("{name} is no option").into()),
            }
        }
        if plan.policies.is_empty() {
            plan.policies = Kind::ALL.to_vec();
        }
        plan.receivers = plan.receivers.clamp(1, 1_000);
        Ok(plan)
    }
}

/// One policy, from the first burst to the last datagram read.
fn prove(plan: &Plan, kind: Kind) -> Result<serde_json::Value, Box<dyn std::error::Error>> {
    let folder = std::env::temp_dir().join(format!("forebay-proving-{}", std::process::id()));
    fs_err::create_dir_all(&folder)?;
    let receivers: Vec<Receiver> =
        (0..plan.receivers).map(|_| Receiver::start(plan.drain_pps)).collect::<io::Result<_>>()?;
    let targets: Vec<String> = receivers.iter().map(|one| format!("port:{}", one.port)).collect();
    let settings = Settings {
        targets: parse_targets(&targets.join(";"))?,
        host: Vec::new(),
        budget_bytes: plan.budget_bytes,
        rules: Rules::default(),
        tick: Duration::from_millis(10),
        state_file: folder.join("state.json"),
        dry_run: false,
    };
    let mut sidecar = Sidecar::start(&settings, kind.build(), Box::new(Blind))?;
    let ports: Vec<u16> = receivers.iter().map(|one| one.port).collect();
    let bursts = plan.clone();
    // The receivers' buffers are in hand before the first burst.
    let sender = thread::spawn(move || {
        thread::sleep(Duration::from_millis(500));
        send(&bursts, &ports)
    });
    let (mut ticks, mut committed, mut queued) = (0_u64, 0_u128, 0_u128);
    let last: RefCell<Option<Report>> = RefCell::new(None);
    let end = Instant::now() + Duration::from_secs(plan.seconds) + SETTLE;
    let control = || if Instant::now() < end { Control::Go } else { Control::Stop };
    run(&mut sidecar, settings.tick, control, |sidecar| {
        let report = sidecar.report();
        ticks += 1;
        committed += u128::from(report.targets.iter().map(|target| target.ceiling_bytes).sum::<u64>());
        queued += u128::from(report.queued_bytes);
        last.replace(Some(report));
    })?;
    let sent = sender.join().map_err(|_| "the sender ended")??;
    let counts = sidecar.finish()?;
    let report = last.into_inner().ok_or("no tick")?;
    let dropped: u64 = report.targets.iter().map(|target| target.dropped_packets).sum();
    let received = receivers.into_iter().map(Receiver::end).sum::<io::Result<u64>>()?;
    fs_err::remove_dir_all(Path::new(&folder))?;
    let mean = |sum: u128| (sum / u128::from(ticks.max(1))) as u64;
    Ok(serde_json::json!({
        "policy": kind.name(),
        "seed": plan.seed,
        "sent": sent,
        "received": received,
        "dropped": dropped,
        "unaccounted": sent as i64 - received as i64 - dropped as i64,
        "lost_percent": (dropped as f64 / sent.max(1) as f64 * 1e4).round() / 100.0,
        "mean_limits_bytes": mean(committed),
        "mean_queued_bytes": mean(queued),
        "budget_bytes": plan.budget_bytes,
        "changes": counts.get(Event::Grow) + counts.get(Event::Shrink),
        "ticks_late": counts.get(Event::LateTick),
    }))
}

/// Sends the bursts; how many datagrams that were.
fn send(plan: &Plan, ports: &[u16]) -> io::Result<u64> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    let datagram = [0; DATAGRAM_BYTES];
    let mut random = plan.seed.max(1);
    let start = Instant::now();
    let mut sent = 0;
    // The last second is for queues to empty.
    let bursts = (plan.seconds.saturating_sub(1) * 1_000) / BURST_EVERY.as_millis() as u64;
    for burst in 0..bursts {
        thread::sleep((BURST_EVERY * burst as u32).saturating_sub(start.elapsed()));
        // Marsaglia, *Xorshift RNGs*, 2003.
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let port = ports[(random % ports.len() as u64) as usize];
        let began = Instant::now();
        for number in 0..plan.burst {
            if number.is_multiple_of(TRAIN) {
                let due = Duration::from_secs_f64(number as f64 / BURST_PPS);
                while began.elapsed() < due {
                    std::hint::spin_loop();
                }
            }
            socket.send_to(&datagram, ("127.0.0.1", port))?;
            sent += 1;
        }
    }
    Ok(sent)
}

/// A receiver process.
struct Receiver {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    port: u16,
}

impl Receiver {
    fn start(drain_pps: u64) -> io::Result<Self> {
        let program = std::env::current_exe()?.with_file_name("receiver");
        let mut child = Command::new(program)
            .args(["127.0.0.1:0", &drain_pps.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let missing = || io::Error::other("the receiver did not say that it is ready");
        let stdin = child.stdin.take().ok_or_else(missing)?;
        let mut stdout = BufReader::new(child.stdout.take().ok_or_else(missing)?);
        let mut line = String::new();
        stdout.read_line(&mut line)?;
        let port = line.split_whitespace().nth(1).and_then(|port| port.parse().ok()).ok_or_else(missing)?;
        Ok(Self { child, stdin, stdout, port })
    }

    /// Ends it; how many datagrams it read.
    fn end(mut self) -> io::Result<u64> {
        drop(self.stdin);
        let mut line = String::new();
        self.stdout.read_line(&mut line)?;
        self.child.wait()?;
        line.trim().strip_prefix("received ").and_then(|count| count.parse().ok()).ok_or_else(|| io::Error::other(line))
    }
}
