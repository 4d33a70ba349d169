//! Any bytes as text to be written: see `zastava::contract::promises::canonical`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| zastava::contract::promises::canonical(bytes));
