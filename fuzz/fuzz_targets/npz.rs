#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| segloss_hostile::npz(bytes));
