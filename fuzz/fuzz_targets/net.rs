//! Any bytes as `net`: see `zastava::process::parse::promises::net`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| zastava::process::parse::promises::net(bytes));
