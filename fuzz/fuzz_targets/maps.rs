//! Any bytes as `maps`: see `zastava::process::parse::promises::maps`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| zastava::process::parse::promises::maps(bytes));
