//! Any bytes as `mountinfo`: see `zastava::process::parse::promises::mountinfo`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| zastava::process::parse::promises::mountinfo(bytes));
