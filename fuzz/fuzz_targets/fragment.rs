#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| polemic_fuzz::fragment(data));
