//! Cards of the four kinds, written down byte by byte: offsets of the published tables, frames made by hand.
//!
//! Knows nothing of the decoder under test.

/// A kind of card: its name, its flag, and which texts lie where.
pub struct Sample {
    pub kind: &'static str,
    flag: u8,
    texts: &'static [(usize, &'static str)],
}

/// One good card of each kind.
pub const SAMPLES: [Sample; 4] = [
    Sample {
        kind: "resident",
        flag: b' ',
        texts: &[
            (0, "样\u{3F06}\u{E816}·例"),
            (30, "1"),
            (32, "01"),
            (36, "19491231"),
            (52, "样例省样例市样例区样例路1号2单元"),
            (122, "11010519491231002X"),
            (158, "样例市公安局样例分局"),
            (188, "20200101"),
            (204, "长期"),
        ],
    },
    Sample {
        kind: "hong_kong_macao_taiwan",
        flag: b'J',
        texts: &[
            (0, "样港生"),
            (30, "2"),
            (36, "19940823"),
            (52, "样例省样例市样例路3号"),
            (122, "810000199408230021"),
            (158, "样例市公安局"),
            (188, "20190102"),
            (204, "20240102"),
            (220, "H00000000"),
            (238, "02"),
        ],
    },
    Sample {
        kind: "foreigner_2017",
        flag: b'I',
        texts: &[
            (0, "SAMPLE, A NAME THAT FILLS MORE THAN THIRTY-FIVE OF 60 SIGNS"),
            (120, "1"),
            (122, "KAZ110090123105"),
            (152, "KAZ"),
            (158, "样安德"),
            (188, "20180601"),
            (204, "20280601"),
            (220, "19901231"),
            (236, "01"),
            (240, "1100"),
        ],
    },
    Sample {
        kind: "foreigner_2023",
        flag: b'Y',
        texts: &[
            (0, "样玛丽"),
            (30, "2"),
            (32, "01"),
            (36, "19901231"),
            // 34 letters and a space, then what does not fit: joined before anything is trimmed.
            (52, "SAMPLE OF A FAMILY NAME, LONG AS A "),
            (122, "911398199012310021"),
            (188, "20240115"),
            (204, "20340115"),
            (220, "RIVER, MARY"),
            (242, "KAZ"),
            (250, "110"),
        ],
    },
];

impl Sample {
    /// The 256 bytes of the text block.
    pub fn text(&self) -> Vec<u8> {
        let mut text = [0x20, 0x00].repeat(128);
        for (offset, value) in self.texts {
            for (index, unit) in value.encode_utf16().enumerate() {
                text[offset + 2 * index..offset + 2 * index + 2].copy_from_slice(&unit.to_le_bytes());
            }
        }
        text[248] = self.flag;
        text
    }

    /// The 1,284 bytes of the image.
    pub fn image(&self) -> Vec<u8> {
        [vec![0x01, 0x00, 0x04, 0x00], self.text(), photo()].concat()
    }

    /// The answer to 30 10, with so many bytes of fingerprints.
    pub fn with_fingerprints(&self, count: u16) -> Vec<u8> {
        let data = [
            vec![0x01, 0x00, 0x04, 0x00],
            count.to_be_bytes().to_vec(),
            self.text(),
            photo(),
            vec![0x46; count.into()],
        ];
        frame(0x90, &data.concat())
    }
}

fn photo() -> Vec<u8> {
    [&b"WLf"[..], &[0x7E; 1021]].concat()
}

/// A SAM_V answer: preamble, length, SW1 SW2 SW3, data, XOR.
pub fn frame(status: u8, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len() + 4).expect("short data");
    let body = [&length.to_be_bytes()[..], &[0, 0, status], data].concat();
    let sum = body.iter().fold(0, |sum, byte| sum ^ byte);
    [&[0xAA, 0xAA, 0xAA, 0x96, 0x69][..], &body, &[sum]].concat()
}
