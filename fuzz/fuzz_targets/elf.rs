//! Any bytes as an ELF file: see `zastava::process::parse::promises::elf`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| zastava::process::parse::promises::elf(bytes));
