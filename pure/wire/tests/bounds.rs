//! At the edges: lengths that do not fit, options that overrun, frames too small and frames that
//! are announced and do not come.

use wire::limits::{MAX_MESSAGE_OCTETS, MIN_MESSAGE_OCTETS};
use wire::{
    ClientMessage, DecodeError, DhcpOption, DuidError, FrameBuffer, FrameError, Message, MessageType,
    OptionCode, Options, RawOption, RelayMessage, TooLong, TransactionId, Writer, write_frame,
};

// BLQ-F-17: an option holds at most 65,535 octets; more cannot be written.
#[test]
fn an_option_of_more_than_sixteen_bits_of_length_cannot_be_written() {
    let written = |octets: usize| {
        let mut out = Vec::new();
        let mut writer = Writer::new(&mut out);
        writer.raw_option(OptionCode::CLIENT_DATA, &vec![0; octets]);
        writer.finish().map(|()| out)
    };
    let longest = written(65_535).unwrap();
    assert_eq!((longest.len(), &longest[..4]), (65_539, [0, 45, 0xff, 0xff].as_slice()));
    assert_eq!(written(65_536), Err(TooLong));
}

// BLQ-F-17: a frame holds at most 65,535 octets of message; more cannot be written.
#[test]
fn a_frame_of_more_than_sixteen_bits_of_length_cannot_be_written() {
    let mut longest = Vec::new();
    assert_eq!(write_frame(&mut longest, |w| w.bytes(&[17; MAX_MESSAGE_OCTETS])), Ok(()));
    assert_eq!(longest.len(), 2 + MAX_MESSAGE_OCTETS);
    let mut frames = FrameBuffer::default();
    frames.extend(&longest);
    assert_eq!(frames.next_message(), Ok(Some([17; MAX_MESSAGE_OCTETS].as_slice())));
}

// BLQ-F-17
#[test]
fn what_did_not_fit_leaves_nothing_behind() {
    let mut stream = Vec::new();
    write_frame(&mut stream, done).unwrap();
    let before = stream.clone();
    assert_eq!(write_frame(&mut stream, |w| w.bytes(&[17; MAX_MESSAGE_OCTETS + 1])), Err(TooLong));
    assert_eq!(stream, before, "half a frame would put the connection out of step");

    let nested = write_frame(&mut stream, |w| {
        w.option(OptionCode::CLIENT_DATA, |w| w.raw_option(OptionCode::LQ_RELAY_DATA, &[0; 65_532]));
    });
    assert_eq!((nested, stream), (Err(TooLong), before));
}

// BLQ-F-03: a frame that says it holds less than a header is the end of the stream.
#[test]
fn a_frame_below_four_octets_is_an_error_and_stays_one() {
    for size in 0..MIN_MESSAGE_OCTETS as u16 {
        let mut frames = FrameBuffer::default();
        frames.extend(&size.to_be_bytes());
        assert_eq!(frames.next_message(), Err(FrameError::TooShort(size)), "before its octets come");
        frames.extend(&[0x0e, 0x00, 0xa0, 0x01]);
        assert_eq!(frames.next_message(), Err(FrameError::TooShort(size)));
    }
}

// BLQ-F-01, BLQ-F-02, BLQ-F-03: what was framed before the error is still delivered.
#[test]
fn messages_before_a_frame_that_is_too_short_are_delivered() {
    let mut stream = Vec::new();
    write_frame(&mut stream, done).unwrap();
    stream.extend([0x00, 0x03, 0x0e, 0x00, 0xa0]);
    let mut frames = FrameBuffer::default();
    frames.extend(&stream);
    assert_eq!(frames.next_message(), Ok(Some([16, 0, 0xa0, 1].as_slice())));
    assert_eq!(frames.next_message(), Err(FrameError::TooShort(3)));
}

// BLQ-F-03: octets left when the stream ends are a frame cut off, and can be seen.
#[test]
fn a_stream_that_ends_inside_a_frame_leaves_octets_waiting() {
    let mut stream = Vec::new();
    write_frame(&mut stream, done).unwrap();
    for kept in 0..stream.len() {
        let mut frames = FrameBuffer::default();
        frames.extend(&stream[..kept]);
        assert_eq!(frames.next_message(), Ok(None));
        assert_eq!(frames.waiting(), kept);
    }
}

#[test]
fn a_large_frame_that_is_only_announced_costs_only_what_arrived() {
    let mut frames = FrameBuffer::default();
    frames.extend(&[0xff, 0xff, 17, 0, 0xa0, 1]);
    assert_eq!(frames.next_message(), Ok(None));
    assert_eq!(frames.waiting(), 6);

    frames.extend(&vec![0; MAX_MESSAGE_OCTETS - 4 - 1]);
    assert_eq!(frames.next_message(), Ok(None), "one octet is missing");
    frames.extend(&[0, 0, 4]);
    assert_eq!(frames.next_message().unwrap().map(<[u8]>::len), Some(MAX_MESSAGE_OCTETS));
    assert_eq!(frames.waiting(), 2, "the size of the next frame");
}

fn done(writer: &mut Writer<'_>) {
    let transaction_id = TransactionId::new([0, 0xa0, 1]);
    ClientMessage::write(writer, MessageType::LeaseQueryDone, transaction_id, |_| {});
}

// BLQ-F-04: an option that says it is longer than its container makes the whole message malformed.
#[test]
fn an_option_may_not_overrun_its_container() {
    let message = [16, 0, 0xa0, 1, 0, 13, 0, 3, 0, 11];
    assert_eq!(Message::decode(&message), Err(DecodeError::Truncated));
    for header in [&[0][..], &[0, 13], &[0, 13, 0]] {
        assert_eq!(Options::new(header), Err(DecodeError::Truncated), "half a header: {header:?}");
    }
    let inner_overruns = option(OptionCode::CLIENT_DATA, &[0, 46, 0, 5, 0, 0, 2, 0x58]);
    assert_eq!(DhcpOption::decode(inner_overruns), Err(DecodeError::Truncated));
}

#[test]
fn headers_may_not_be_cut_short() {
    for octets in 0..34 {
        assert_eq!(RelayMessage::decode(&[12; 34][..octets]), Err(DecodeError::Truncated), "{octets}");
    }
    assert!(RelayMessage::decode(&[12; 34]).is_ok());
    for octets in 0..4 {
        assert_eq!(ClientMessage::decode(&[16; 4][..octets]), Err(DecodeError::Truncated), "{octets}");
    }
    assert!(Message::decode(&[16; 4]).unwrap().options().is_empty());
}

#[test]
fn only_registered_message_types_are_messages() {
    for number in 0..=u8::MAX {
        let known = (1..=23).contains(&number);
        assert_eq!(Message::decode(&[number; 34]).is_err_and(is_unknown), !known, "{number}");
    }
}

fn is_unknown(error: DecodeError) -> bool {
    matches!(error, DecodeError::UnknownMessageType(_))
}

/// The least data of each option, and the only length of those that have only one.
const LENGTHS: &[(OptionCode, usize, Option<usize>)] = &[
    (OptionCode::CLIENTID, 3, Some(130)),
    (OptionCode::SERVERID, 3, Some(130)),
    (OptionCode::RELAY_ID, 3, Some(130)),
    (OptionCode::IA_NA, 12, None),
    (OptionCode::IA_TA, 4, None),
    (OptionCode::IA_PD, 12, None),
    (OptionCode::IAADDR, 24, None),
    (OptionCode::IAPREFIX, 25, None),
    (OptionCode::PREFERENCE, 1, Some(1)),
    (OptionCode::ELAPSED_TIME, 2, Some(2)),
    (OptionCode::RELAY_MSG, 4, None),
    (OptionCode::AUTH, 11, None),
    (OptionCode::UNICAST, 16, Some(16)),
    (OptionCode::STATUS_CODE, 2, None),
    (OptionCode::RAPID_COMMIT, 0, Some(0)),
    (OptionCode::RECONF_ACCEPT, 0, Some(0)),
    (OptionCode::DNS_SERVERS, 16, None),
    (OptionCode::DOMAIN_LIST, 1, None),
    (OptionCode::INFORMATION_REFRESH_TIME, 4, Some(4)),
    (OptionCode::REMOTE_ID, 5, None),
    (OptionCode::SUBSCRIBER_ID, 1, None),
    (OptionCode::LQ_QUERY, 17, None),
    (OptionCode::CLT_TIME, 4, Some(4)),
    (OptionCode::LQ_RELAY_DATA, 50, None),
    (OptionCode::CLIENT_LINKLAYER_ADDR, 3, None),
    (OptionCode::LQ_BASE_TIME, 4, Some(4)),
    (OptionCode::LQ_START_TIME, 4, Some(4)),
    (OptionCode::LQ_END_TIME, 4, Some(4)),
    (OptionCode::RELAY_PORT, 2, Some(2)),
];

#[test]
fn options_have_at_least_and_some_at_most_so_many_octets() {
    for (code, least, most) in LENGTHS.iter().copied() {
        let decodes = |octets: usize| DhcpOption::decode(option(code, &vec![0; octets])).is_ok();
        assert!(decodes(least), "{code} with {least}");
        assert!((0..least).all(|octets| !decodes(octets)), "{code} with fewer than {least}");
        if let Some(most) = most {
            assert!(decodes(most) && !decodes(most + 1), "{code} with more than {most}");
        }
    }
}

#[test]
fn values_outside_their_range_are_refused() {
    assert_refused(OptionCode::SOL_MAX_RT, &59_u32.to_be_bytes(), DecodeError::BadValue);
    assert_refused(OptionCode::INF_MAX_RT, &86_401_u32.to_be_bytes(), DecodeError::BadValue);
    assert_refused(OptionCode::RECONF_MSG, &[7], DecodeError::BadValue);
    assert_refused(OptionCode::PD_EXCLUDE, &[129, 0], DecodeError::BadValue);
    assert_refused(OptionCode::PD_EXCLUDE, &[64; 18], DecodeError::BadLength);
    assert_refused(OptionCode::DOMAIN_LIST, b"\x03com", DecodeError::BadValue);
    assert_refused(OptionCode::DOMAIN_LIST, b"\xc0\x00", DecodeError::BadValue);
    assert_refused(OptionCode::ORO, &[0, 23, 0], DecodeError::BadLength);
    assert_refused(OptionCode::LQ_CLIENT_LINK, &[0; 17], DecodeError::BadLength);
    assert_refused(OptionCode::USER_CLASS, &[0, 2, 1], DecodeError::BadLength);
    assert_refused(OptionCode::CLIENTID, &[0; 2], |_| DecodeError::BadDuid(DuidError::Length(2)));
}

fn assert_refused(code: OptionCode, data: &[u8], error: impl Fn(OptionCode) -> DecodeError) {
    assert_eq!(DhcpOption::decode(option(code, data)).unwrap_err(), error(code));
}

#[test]
fn a_second_option_of_a_kind_that_stands_alone_is_an_error_where_it_is_asked_for() {
    let twice = [0, 46, 0, 4, 0, 0, 0, 1, 0, 46, 0, 4, 0, 0, 0, 2];
    let options = Options::new(&twice).unwrap();
    assert_eq!(options.clt_time(), Err(DecodeError::Duplicate(OptionCode::CLT_TIME)));
    assert_eq!(options.all(OptionCode::CLT_TIME).count(), 2);
    assert_eq!(options.client_id(), Ok(None));
}

fn option(code: OptionCode, data: &[u8]) -> RawOption<'_> {
    RawOption { code, data }
}
