//! Two clocks: programs count in monotonic time, events are dated in Unix time.
#![allow(unsafe_code)]

/// Monotonic time, microseconds: `bpf_ktime_get_ns() / 1000`.
pub(crate) fn monotonic_us() -> i64 {
    read(libc::CLOCK_MONOTONIC)
}

/// What is added to monotonic time to get Unix time, microseconds. It changes when somebody sets the clock.
pub(crate) fn epoch_offset_us() -> i64 {
    // The middle of two readings on either side: a pause between them is not taken for a step.
    let before = monotonic_us();
    let epoch = read(libc::CLOCK_REALTIME);
    let after = monotonic_us();
    epoch - (before + (after - before) / 2)
}

fn read(clock: libc::clockid_t) -> i64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the reference is valid for the call, which fails only for clocks that do not exist.
    unsafe { libc::clock_gettime(clock, &raw mut time) };
    time.tv_sec * 1_000_000 + time.tv_nsec / 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_clocks_agree_on_now() {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("it is after 1970");
        let ours = monotonic_us() + epoch_offset_us();
        assert!((ours - now.as_micros() as i64).abs() < 100_000);
    }
}
