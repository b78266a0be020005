//! What holds for every route: problems, pages, entity tags, idempotency, and the document.
