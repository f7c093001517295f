use forebay_event::{Event, FEATURE_COUNT, Verdict};
use proptest::prelude::*;

use super::*;
use crate::segment::schema::{ip_number, numbers_of};

fn event() -> impl Strategy<Value = Event> {
    (any::<(u32, u16, u16, u8)>(), any::<i64>(), 0usize..5, prop::option::of("[a-zA-Z.]{0,6}"), any::<f64>()).prop_map(
        |((ip, src, dst, protocol), start_us, verdict, host, number)| {
            let mut event = Event { start_us, ..Event::default() };
            event.flow.src_ip = std::net::Ipv4Addr::from_bits(ip % 7).into();
            event.flow.dst_ip = std::net::Ipv6Addr::from_bits(u128::from(ip) << 70).into();
            (event.flow.src_port, event.flow.dst_port, event.flow.protocol) = (src, dst, protocol);
            event.class.verdict =
                [None, Some(Verdict::Benign), Some(Verdict::Malicious)].get(verdict).copied().flatten();
            event.class.family = (verdict == 4).then(|| "Mirai".to_owned());
            event.app.host = host;
            event.features.0[0] = if number.is_finite() { number } else { f64::NAN };
            event.features.0[FEATURE_COUNT - 1] = f64::from(dst);
            event
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn columns_give_back_the_fields_of_every_event_however_they_were_joined(
        parts in prop::collection::vec(prop::collection::vec(event(), 1..12), 1..4),
    ) {
        let gathered: Vec<Gathered> = parts.iter().map(|events| Gathered::of(events, 7)).collect();
        let single: Vec<Columns> = gathered.iter().map(|part| Columns::joined(&[part]).unwrap()).collect();
        let from_gathered = Columns::joined(&gathered.iter().map(|part| part as &dyn Fields).collect::<Vec<_>>()).unwrap();
        let from_columns = Columns::joined(&single.iter().map(|part| part as &dyn Fields).collect::<Vec<_>>()).unwrap();
        prop_assert_eq!(from_gathered.bytes.all(), from_columns.bytes.all());
        let events: Vec<&Event> = parts.iter().flatten().collect();
        prop_assert_eq!(from_columns.rows(), events.len());
        for (row, event) in events.into_iter().enumerate() {
            let columns = &from_columns;
            prop_assert_eq!(columns.start()[row], event.start_us);
            prop_assert_eq!((columns.src_port()[row], columns.dst_port()[row]), (event.flow.src_port, event.flow.dst_port));
            prop_assert_eq!(columns.src_ip().at(row), ip_number(event.flow.src_ip).to_bits());
            prop_assert_eq!(columns.dst_ip().at(row), ip_number(event.flow.dst_ip).to_bits());
            let lower = |word: &Option<String>| word.as_ref().map(|word| word.to_ascii_lowercase());
            prop_assert_eq!(columns.host().at(row).map(str::to_owned), lower(&event.app.host));
            prop_assert_eq!(columns.family().at(row).map(str::to_owned), lower(&event.class.family));
            for (place, value) in numbers_of(&event.features).into_iter().enumerate() {
                let back = columns.number(place).at(row);
                prop_assert!(back.to_bits() == value.to_bits() || (back.is_nan() && value.is_nan()));
            }
        }
    }

    #[test]
    fn changed_bytes_never_panic(at in 0usize..4096, byte: u8, events in prop::collection::vec(event(), 1..4)) {
        let gathered = Gathered::of(&events, 0);
        let good = Columns::joined(&[&gathered]).unwrap();
        let mut bytes = good.bytes.all().to_vec();
        let at = at % bytes.len();
        bytes[at] = byte;
        let Ok(columns) = Columns::open(Bytes::hold(&bytes), "changed") else { return Ok(()) };
        for row in 0..columns.rows() {
            let _ = (columns.src_ip().at(row), columns.host().at(row), columns.number(3).at(row), columns.seq()[row]);
        }
        for cut in (0..bytes.len()).step_by(97) {
            let _ = Columns::open(Bytes::hold(&bytes[..cut]), "cut").map(|columns| columns.rows());
        }
    }
}
