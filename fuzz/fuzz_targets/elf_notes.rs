//! Any bytes as the notes of an ELF file: see `zastava::process::parse::promises::elf_notes`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| zastava::process::parse::promises::elf_notes(bytes));
