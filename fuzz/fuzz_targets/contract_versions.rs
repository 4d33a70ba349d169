//! Any bytes as versions and offers: see `zastava::contract::promises::versions`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| zastava::contract::promises::versions(bytes));
