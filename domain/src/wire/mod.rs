//! 协议: the types that cross the network, by version. A version only ever gains optional fields.
pub mod v1;
