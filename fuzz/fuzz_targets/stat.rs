//! Any bytes as `stat`: see `zastava::process::parse::promises::stat`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| zastava::process::parse::promises::stat(bytes));
