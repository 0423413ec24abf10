//! The custom section in which a build finds the schemas of a slot without running it.

/// The schema of the slot, and those that it reads, as little-endian numbers.
pub const fn section<const LENGTH: usize>(schemas: &[u32]) -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    let mut at = 0;
    while at < LENGTH {
        bytes[at] = schemas[at / 4].to_le_bytes()[at % 4];
        at += 1;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_schema_has_four_bytes() {
        assert_eq!(section(&[3, 0x0102]), [3, 0, 0, 0, 2, 1, 0, 0]);
    }
}
