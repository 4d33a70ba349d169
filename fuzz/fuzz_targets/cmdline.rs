//! Any bytes as `cmdline`: see `zastava::process::parse::promises::cmdline`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| zastava::process::parse::promises::cmdline(bytes));
