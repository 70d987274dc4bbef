#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| polemic_fuzz::read("remark42", data));
