//! Any bytes as an event: see `zastava::contract::promises::event`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| zastava::contract::promises::event(bytes));
