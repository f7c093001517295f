//! The processor's clock.
#![allow(unsafe_code)]

/// Time that the processor has spent on this thread, seconds (`clock_gettime(2)`); 0 where the kernel keeps no such clock.
pub fn processor_s() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is valid for writes for the whole call and of the type that the system call fills.
    let status = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    if status == 0 { time.tv_sec as f64 + time.tv_nsec as f64 / 1e9 } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_moves_on_while_we_work() {
        let began = processor_s();
        let sum: u64 = (0..std::hint::black_box(3_000_000u64)).fold(0, |sum, x| std::hint::black_box(sum ^ x));
        assert!(processor_s() > began, "{sum}");
    }
}
