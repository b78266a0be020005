#![no_main]

use burncloud_core::envelope::{Envelope, multipart_field};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(envelope) = Envelope::scan(data) {
        // Every span lies in the body, and the model is what a parser would take.
        for span in [envelope.model, envelope.stream_options, envelope.generation_config].into_iter().flatten() {
            assert!(span.start < span.end && span.end <= data.len());
        }
        let _ = envelope.model_name(data);
        let _ = envelope.include_usage_edit(data);
    }
    let _ = multipart_field("multipart/form-data; boundary=b", data, "model");
});
