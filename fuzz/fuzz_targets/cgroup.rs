//! Any bytes as `cgroup`: see `zastava::process::parse::promises::cgroup`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| zastava::process::parse::promises::cgroup(bytes));
