//! What is answered looks as the document says.
