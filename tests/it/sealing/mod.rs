//! What the centre alone can read: the national suite held against OpenSSL, and keys that change while terminals are away.
mod interop;
mod openssl;
mod rotation;
