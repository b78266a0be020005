//! A receipt out of its documents.

use super::{Disclosed, Documents, ProofError, VERSION, unhex};
use burncloud_core::{Receipt, TraceId};
use serde_json::{Map, Value};

/// A trace id that is none at all, which is never read back as one.
const NO_TRACE: &str = "00000000000000000000000000000000";

impl Disclosed {
    /// The receipt that both documents were written of.
    ///
    /// # Errors
    /// [`ProofError::Version`] for documents of another version, [`ProofError::Json`] for what is no receipt, or not one
    /// from which these very documents are written again.
    pub fn receipt(self) -> Result<Receipt, ProofError> {
        let unread = |why: &str| ProofError::Json(why.to_owned());
        let (Value::Object(mut all), Value::Object(mut private)) = (self.public, self.private) else {
            return Err(unread("a document of a receipt is no object"));
        };
        match all.remove("version").and_then(|version| version.as_u64()) {
            Some(version) if version == u64::from(VERSION) => {}
            other => return Err(ProofError::Version(other.map_or("none".into(), |v| v.to_string()))),
        }
        let salt = private.remove("salt");
        let salt = salt.as_ref().and_then(Value::as_str).and_then(unhex);
        let salt = salt.ok_or_else(|| unread("a receipt has no salt"))?;
        // Its id is in both.
        all.append(&mut private);
        let receipt = read(all)?;
        let mut again = Documents::default();
        again.write(&receipt, &salt);
        if again.leaf() != self.leaf {
            return Err(ProofError::Json(format!("receipt {} is not read as it was written", receipt.id)));
        }
        Ok(receipt)
    }
}

fn read(mut all: Map<String, Value>) -> Result<Receipt, ProofError> {
    let untraced = all.get("trace_id").and_then(Value::as_str) == Some(NO_TRACE);
    if untraced {
        all.insert("trace_id".into(), NO_TRACE.replacen('0', "1", 1).into());
    }
    let mut receipt: Receipt = serde_json::from_value(Value::Object(all)).map_err(ProofError::json)?;
    if untraced {
        receipt.trace_id = TraceId::default();
    }
    Ok(receipt)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burncloud_core::testing::receipt;
    use burncloud_core::{Nano, Usage};

    fn disclosed(receipt: &Receipt) -> Disclosed {
        let mut documents = Documents::default();
        documents.write(receipt, &[7; 16]);
        let value = |bytes| serde_json::from_slice(bytes).unwrap();
        Disclosed {
            leaf: documents.leaf(),
            public: value(documents.public()),
            private: value(documents.private()),
        }
    }

    #[test]
    fn a_receipt_is_read_as_it_was_written() {
        let plain = Receipt {
            trace_id: TraceId::default(),
            channel: None,
            upstream_request_id: None,
            attempts: vec![],
            usage: Usage::default(),
            lines: vec![],
            legs: vec![],
            abort: None,
            first_byte_us: None,
            upstream_cost: Nano(-3),
            ..receipt(2)
        };
        for one in [receipt(1), plain] {
            assert_eq!(disclosed(&one).receipt().unwrap(), one);
        }
        let beyond = Receipt { bytes_out: u64::MAX, ..receipt(3) };
        let expected = Receipt { bytes_out: i64::MAX.unsigned_abs(), ..receipt(3) };
        assert_eq!(disclosed(&beyond).receipt().unwrap(), expected, "as every store cuts it off");
    }

    #[test]
    fn what_is_not_read_whole_is_refused() {
        let mut later = disclosed(&receipt(1));
        later.public["version"] = 2.into();
        assert_eq!(later.receipt(), Err(ProofError::Version("2".into())));
        let mut more = disclosed(&receipt(1));
        more.public["surprise"] = 1.into();
        more.leaf = more.made_of().unwrap();
        assert!(
            matches!(more.receipt(), Err(ProofError::Json(_))),
            "a field that this version does not know"
        );
        let mut less = disclosed(&receipt(1));
        less.private.as_object_mut().unwrap().remove("salt");
        assert!(matches!(less.receipt(), Err(ProofError::Json(_))));
    }
}
