//! Children to watch, and a sidecar without its threads to watch them with.
#![allow(
    clippy::unwrap_used,
    dead_code,
    unreachable_pub,
    reason = "shared by several tests; a failure in a helper is one of the test"
)]

use std::io::{BufRead as _, BufReader};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use forebay_predictor::control::Rules;
use forebay_predictor::eyes::Blind;
use forebay_predictor::policy::Kind;
use forebay_predictor::sidecar::{Settings, Sidecar, SidecarError};
use forebay_predictor::target::{Finder, open_files, parse_targets};

/// A receiver that ends with its handle.
pub struct Receiver {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    pub port: u16,
    pub inode: u64,
}

impl Receiver {
    pub fn start(arguments: &[&str]) -> Self {
        Self::spawn(Command::new(env!("CARGO_BIN_EXE_receiver")).args(arguments))
    }

    /// In the network namespace of `ip netns` called `netns`.
    pub fn start_in(netns: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/run/netns/{netns}")).arg(env!("CARGO_BIN_EXE_receiver")).args(arguments);
        Self::spawn(&mut command)
    }

    /// With what `setpriv` gives and takes by `privileges`.
    pub fn start_as(privileges: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new("setpriv");
        command.arg(privileges).arg(env!("CARGO_BIN_EXE_receiver")).args(arguments);
        Self::spawn(&mut command)
    }

    fn spawn(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        let mut words = line.split_whitespace().skip(1);
        let port = words.next().unwrap().parse().unwrap();
        let inode = words.next().unwrap().parse().unwrap();
        let stdin = child.stdin.take();
        Self { child, stdin, stdout, port, inode }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sets its `SO_RCVBUF` as its program would.
    pub fn set_rcvbuf(&self, bytes: usize) {
        let (socket, _) = duplicate(self.pid(), self.inode).unwrap();
        rustix::net::sockopt::set_socket_recv_buffer_size(&socket, bytes).unwrap();
    }

    /// Ends it in good order; how many datagrams it read.
    pub fn end(mut self) -> u64 {
        drop(self.stdin.take());
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        self.child.wait().unwrap();
        line.trim().strip_prefix("received ").unwrap().parse().unwrap()
    }

    /// The limit in force, as the kernel has it.
    pub fn ceiling(&self) -> u64 {
        ceiling_of(self.pid(), self.inode).unwrap()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The limit of a socket of another process, read past everything that is tested.
pub fn ceiling_of(pid: u32, inode: u64) -> Option<u64> {
    let (copy, is_pipe) = duplicate(pid, inode)?;
    if is_pipe {
        return rustix::pipe::fcntl_getpipe_size(&copy).ok().map(|size| size as u64);
    }
    rustix::net::sockopt::socket_recv_buffer_size(&copy).ok().map(|size| size as u64)
}

/// Whether someone set the size of a socket of another process by hand.
pub fn is_locked(pid: u32, inode: u64) -> Option<bool> {
    use std::os::fd::AsFd as _;
    forebay_predictor::sys::sock_opt::is_locked(duplicate(pid, inode)?.0.as_fd())
}

fn duplicate(pid: u32, inode: u64) -> Option<(OwnedFd, bool)> {
    use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};
    let mut fd = None;
    open_files(pid, |file| {
        if file.inode == inode {
            fd = Some(file);
        }
    })
    .ok()?;
    let pidfd = pidfd_open(Pid::from_raw(pid as i32)?, PidfdFlags::empty()).ok()?;
    let file = fd?;
    let copy = pidfd_getfd(&pidfd, file.fd, PidfdGetfdFlags::empty()).ok()?;
    Some((copy, file.is_pipe))
}

pub fn settings(folder: &Path, targets: &str, budget_bytes: u64) -> Settings {
    Settings {
        targets: parse_targets(targets).unwrap(),
        host: Vec::new(),
        budget_bytes,
        rules: Rules { hold_ms: 100, changes_per_s: 1_000 },
        tick: Duration::from_millis(10),
        state_file: folder.join("state.json"),
        dry_run: false,
    }
}

/// A sidecar whose time is the test's.
pub struct Driven {
    pub sidecar: Sidecar,
    pub finder: Finder,
    now_ms: u64,
}

impl Driven {
    pub fn start(settings: &Settings, policy: Kind) -> Result<Self, SidecarError> {
        let sidecar = Sidecar::start(settings, policy.build(), Box::new(Blind))?;
        Ok(Self { sidecar, finder: Finder::new(settings.targets.clone()), now_ms: 0 })
    }

    /// Looks for programs, then ticks.
    pub fn go(&mut self, ticks: u64) {
        let pass = self.finder.pass().unwrap();
        self.sidecar.take(pass, self.now_ms);
        for _ in 0..ticks {
            self.sidecar.tick(self.now_ms);
            self.now_ms += 10;
        }
        self.sidecar.sweep(self.now_ms);
    }
}

/// Whether we may do what the sidecar does; says loudly if not.
pub fn may_actuate() -> bool {
    let may = rustix::process::geteuid().is_root();
    if !may {
        eprintln!("SKIPPED: needs root (CAP_NET_ADMIN and CAP_SYS_PTRACE)");
    }
    may
}
