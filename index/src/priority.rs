//! Work that gives way to searches and appends.

use crate::limits::WORKER_NICE;

/// Does `work` on a thread of low priority, as are the threads that it starts.
///
/// A thread may lower its own priority and never raise it again (`setpriority(2)`), so it gets one to itself.
pub(crate) fn lowered<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let work = || {
        lower();
        work()
    };
    let done = std::thread::scope(|scope| scope.spawn(work).join());
    done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Lowers the priority of this thread for good. Not being allowed to is no reason not to work.
pub(crate) fn lower() {
    let _ = rustix::process::setpriority_process(None, WORKER_NICE);
}
