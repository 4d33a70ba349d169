//! Any bytes as what Go writes into its programs: see `zastava::process::parse::promises::go_buildinfo`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| zastava::process::parse::promises::go_buildinfo(bytes));
