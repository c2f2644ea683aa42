-- Which envelopes name an attachment, and which upload brought it: asked for each one that is lost or could not be copied.
CREATE INDEX blob_by_digest ON blob_ (digest);
CREATE INDEX upload_by_digest ON upload (digest);
