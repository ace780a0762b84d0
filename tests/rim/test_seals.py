"""Tickets and documents are sealed so that one changed bit is seen; golden ones never change."""

from __future__ import annotations

import itertools
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, strategies as st

from common.errors import SealIsBroken, TokenIsMalformed
from common.seals import (
    KEY_IDS_MAX,
    TOKEN_LENGTH,
    TOKEN_PREFIX,
    TicketToken,
    canonical,
    check_document,
    digest_of,
    new_signing_key,
    public_bytes,
    read_token,
    seal_document,
    seal_token,
    token_is_ours,
    verifying_key,
)

KEY = new_signing_key(bytes(range(32)))
PUBLIC = "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"
KEYS = {number: verifying_key(bytes.fromhex(PUBLIC)) for number in range(KEY_IDS_MAX)}
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

GOLDEN_TEXT = """
1 1 0000000000000000 1 1735689600000 1 0 0
RSB12400008000000000000000800000000004000MQQT379QYMBT6KCFY8VHGEDE44PCVP6
KAWCG1B22ETA2FWM11CM7QYNY7GRPSQRY66AG96MWKJBVXRAEZ0EH7V1NKD1RBKNMCSE982G
0 1 0000000000000001 0 1735689600000 3600 0 0
RSB12000008000000000000G00000000000E20001VCVXMDBAXNCAGVKH3KF1Y3NRWF338T7
Y1FCRM0JTT1F884YYE2QYEZ6PRHAGEEG5T8NP7HPTV3DPYP9EZMVD77W0JSKP8CWTNAQYW70
15 16777215 ffffffffffffffff 65535 6030656895000 16777215 255 255
RSB13ZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZJR2JDDAF5XDYJRPKHSCMM1WJP2QN7Z1
V1DP0BQYMZPSE4Z6QXXM2YTVMWB71T6ETHTEPV73BVKASJW43TA11T0FTDPZGAP6PBS95860
1 3 0123456789abcdef 2 1790000000000 3600 0 0
RSB1240000R14D2PF2DBSQQG00G37JV0000E20001SDVA379W1D9R2ZB4ES0ZEJ1RJ5TRK6T
DH2RJEK6HK3B2MDBPR4KF3G2E72CE9CADH6RESDVT774A6F5Q9REA0ZAR867HGJB037P6060
1 3 0123456789abcdef 2 1790000000000 3600 1 0
RSB1240000R14D2PF2DBSQQG00G37JV0000E200G0RV9FN1Q5ARATRW1G4X89ZCM7RT075RB
HER7PYNQWK082D60XRYKSJARVY4HC0741R28K10MZQ9VZQR0W31AW6DKT73WFGF5Q5A5Q020
1 3 0123456789abcdef 0 1790000000000 3600 0 0
RSB1240000R14D2PF2DBSQQG00037JV0000E20000V5J82F1070NRQDYH4VFTW9GXX5TP2Z3
FVS5TJZ1H9DCJ3NVY210YMRXQ4X13JQEZVG8DC744JM2Y1TA9MKEEPJS188CPY0KTEXB9G70
1 3 0123456789abcdef 2 1790000000000 3600 0 1
RSB1240000R14D2PF2DBSQQG00G37JV0000E20003KKKERXWYKW3DHSR6FK9VXNEJTC9K95F
SD62TT5KNZ8VD92XEWM2QQ3YN502QY5JW7CNXDBFHAREZACCC3JS8GGTBFZ2838YRXR59R2G
2 3 0123456789abcdef 2 1790000000000 3600 0 0
RSB1280000R14D2PF2DBSQQG00G37JV0000E20001GQWDDK1YBDMQQP8XRTGVJMS5QS49VR4
AM50A51CDDBVNQH5V5CEAT4NYS3B4R7YKJ2F7PNPTT1MXEAVP4EENZSH03YP8DQQGA4Z3C00
1 4 0123456789abcdef 2 1790000000000 3600 0 0
RSB1240001014D2PF2DBSQQG00G37JV0000E2000194ZQQKTZXFFAR0E9PX8K46MC2574S76
8T8VT5K6BZJ5Y90JP1CMZ5VXRQG349Z2G7P24J52QVBM7YQKGWZZNFNTMZA313ACCFF9JW4G
1 3 0123456789abcdee 2 1790000000000 3600 0 0
RSB1240000R14D2PF2DBSQQ000G37JV0000E20001F6EBTTP9TN3AZ12F6YNXJZT9Z58TSF5
D7FRXZMHWW5W67AVE6W89Q34P41BQV4Z3JDAYV34EQGX52VRNVEEJCKSW1BNAV8NJSPYT82G
1 3 0123456789abcdef 2 1790000001000 3600 0 0
RSB1240000R14D2PF2DBSQQG00G37JV0200E20001HAV1GDY7JFCPY8FFTG0NWRGECKPKRZQ
BG127C48XKJABMR3F5F6N2T5XD6SXM5NF6TGCY9PDY2PBTSK9SQQ1C07GK0PCFBTSA9ET460
1 3 0123456789abcdef 2 1790000000000 3601 0 0
RSB1240000R14D2PF2DBSQQG00G37JV0000E24000A299MXRGFX4565WV3EN0XK0R3NKRM3R
DJ2RRSJFJM6Y4KY752XY4MBX3FT50J8FZRY1A3QQ7F65VDJXB3PFSJWB6J0WJXSN8ZNK9C10
1 255 00ff00ff00ff00ff 255 1792713600000 1800 2 0
RSB124001ZR0ZW0FY07Z03ZG1ZR3CRF00007101012MVYT8TW67H62MJ55GDE1HFCMSSD268
090NY55GRKPGHCSXP49EGJZR5V0RYXA6S61JW0W21KN3MTNGCG2PCQTP3ABCJJ45ZWACT86G
1 256 ff00ff00ff00ff00 256 1792713600000 1800 3 0
RSB12400207Z03ZG1ZR0ZW002003CRF00007101G1CH9GTZCYVQH8YPJGXYDF89XTMJM576Y
F0CDXPFJW0VPD7TP6YE3FN0JW3XKP14PEXQGYG8ZEYGT21TPMX3SXAPR0C0AK975AZDZ4C1G
1 65535 aaaaaaaaaaaaaaaa 10 1800000000000 900 4 0
RSB1240FZZXANANANANANAN002G3TN680003GG200TF4QTS5BRPM3X6B5JC5QEH5TARDTVCP
59SF4DH8RB148TZZ25142NC9HQW24SYFTANEQ80FYCGB2XF23YSN7R5DN8SVWK97CHWZAG7G
1 65536 5555555555555555 11 1900000000000 86400 5 0
RSB1240G002NANANANANANAG02R9SCPR00AHG02G1Y8X86FQSEGQ5202RE95JAZRS5PV9MDG
7PVV1DRGVYQ3FX63PK9SKYSW1F9ZY8RPABWXJHFYRRGTX4Q839WPW1D7G0QX98CC5ZZ8382G
3 99 deadbeefdeadbeef 12 2000000000000 600 6 128
RSB12C000RYYNPZEZQNDQVQG030FR4780002B0381P0SF6Q8SVR8NWBFZV2J73Q8G069K4JZ
R5M7V1ZNFZ29X6DDDYSRXD2Y43SQWR7VTS7N5SH68KXBD9WV3WAD18K1SPA8N920GCV6NW3G
4 100 cafebabecafebabe 13 2100000000000 300 7 64
RSB12G000S6AZTXBXJQYQAZ0038NPVQR00015G3M0K0WJG17W8NG20YFA7S1K65FGF5C4CZ9
FP4CAP80SD8F6QJHNQJ67QEG1X06DDPPXBJB70RN1B487C5PMD04MEA67K4N7M1GWDC6AG00
5 101 8000000000000000 14 2200000000000 60 8 32
RSB12M000SC000000000000003GVNK8800007G421DBVT4K5STEHS7PFDRA3R0HET9HYSWRS
23GE9R03C71VSRA5QV7QRYM2HT9G9WYTWX6RJE5BR8YFS52FVT3HC4DPK7RRDJ012K2TR40G
6 102 0000000000000080 32768 2300000000000 10 127 16
RSB12R000SG00000000002080011MARR000019ZH03GNMQ5FFE2BTR1J7ASS9MZJ7MSKB9X3
JXPA9JXZHCP0M4TYNJV6BH5FAHKQW93D8X2KV7B3FBTDH0PB6S8DQ8P3YD3HPXXVCCN9AC7G
7 103 7fffffffffffffff 32767 4000000000000 8 128 8
RSB12W000SVZZZZZZZZZZZZQZZW6YTH800001200GV6FYHTBM1B41FDR976F94R4EJAE43DF
WYGZKVDRH1ZQB2WTYR73WQFKBP315PKR5RSCFPJ9NPXJWGDZ39N190QGT603KKZAPW6ZN810
8 104 1122334455667788 1234 3883173247000 4 254 4
RSB130000T0H48SM8NB6EY409MKZZZZZY0000KZ08FJY9F6744KS9W4K6X1V6H2K6EDHXF1G
D1TS40YMKFMBWSC6YP5015PEYC3BTNPNWH9BK70RBD942C9ZVAMWNSR413B7MJH8EHC23W3G
9 105 8877665544332211 4321 3883173248000 2 200 2
RSB134000TC8EXK5AH1K488H1RC0000000000B405RM6DNZF49YFF9AVSDC17HFPVHDW7YPS
4Q1X50A48ZSEXEWX3H05HRE67KKYER5Z3WG12417NJNJ08PYZ0GF5BDMQMM7V9QC0RVEZR0G
"""
"""Key id, store, ticket, device, start, length, revision and flags; then the token in two lines."""


def golden() -> list[tuple[TicketToken, str]]:
    lines = GOLDEN_TEXT.strip().splitlines()
    return [
        (made(facts.split()), first + second)
        for facts, first, second in zip(*[iter(lines)] * 3, strict=True)
    ]


def made(facts: list[str]) -> TicketToken:
    key_id, store, ticket, device, starts_at, length, revision, flags = facts
    return TicketToken(
        key_id=int(key_id),
        store_number=int(store),
        ticket=ticket,
        device_number=int(device),
        starts_at=int(starts_at),
        length_seconds=int(length),
        revision=int(revision),
        flags=int(flags),
    )


TOKENS = st.builds(
    TicketToken,
    key_id=st.integers(0, KEY_IDS_MAX - 1),
    store_number=st.integers(0, 2**24 - 1),
    ticket=st.integers(0, 2**64 - 1).map(lambda number: f"{number:016x}"),
    device_number=st.integers(0, 2**16 - 1),
    starts_at=st.integers(0, 2**32 - 1).map(lambda second: 1_735_689_600_000 + second * 1000),
    length_seconds=st.integers(0, 2**24 - 1),
    revision=st.integers(0, 255),
    flags=st.integers(0, 255),
)
TOKEN, TEXT = golden()[3]


def is_ours(text: str) -> bool:
    try:
        return token_is_ours(read_token(text), KEYS)
    except TokenIsMalformed:
        return False


def test_the_golden_key_has_not_changed():
    assert public_bytes(KEY).hex() == PUBLIC


@pytest.mark.parametrize(("token", "text"), golden())
def test_a_golden_token_is_sealed_and_read_as_ever(token: TicketToken, text: str):
    assert seal_token(token, KEY) == text
    read = read_token(text)
    assert read.token == token
    assert token_is_ours(read, KEYS)


def test_golden_tokens_are_many_and_all_different():
    texts = [text for _, text in golden()]
    assert len(set(texts)) == len(texts) >= 20


@given(token=TOKENS)
def test_a_token_is_read_as_it_was_sealed(token: TicketToken):
    text = seal_token(token, KEY)
    assert len(text) == TOKEN_LENGTH
    assert set(text.removeprefix(TOKEN_PREFIX)) <= set(CROCKFORD)
    assert read_token(text).token == token


@pytest.mark.parametrize("place", range(TOKEN_LENGTH))
def test_no_character_can_be_exchanged_for_another(place: int):
    others = set(CROCKFORD + "ILOU-0 a") - {TEXT[place]}
    assert not [c for c in others if is_ours(TEXT[:place] + c + TEXT[place + 1 :])]


@pytest.mark.parametrize("place", range(87))
def test_no_bit_can_be_turned(place: int):
    number = _number_of(TEXT)
    turned = [number ^ (1 << (place * 8 + bit)) for bit in range(8)]
    assert not [other for other in turned if is_ours(_text_of(other))]
    assert is_ours(_text_of(number))


def test_each_token_has_one_spelling_only():
    spellings = [c for c in CROCKFORD if is_ours(TEXT[:-1] + c)]
    assert spellings == [TEXT[-1]]
    assert not is_ours(TEXT.lower())
    assert not is_ours(TEXT.replace("0", "O", 1))
    assert not is_ours(TEXT.replace("1", "I"))


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", TEXT[:-1], TEXT + "0", " " + TEXT, TEXT + "\n", TEXT * 2, "RSB2" + TEXT[4:]),
        *("A" * 3000, "\x00" * 144, "\x1b" * 144, "RSB1" + "é" * 140, "RSB1" + "\ud800" * 140),
        *("https://example.com/?t=" + TEXT, "RSB1" + "٠" * 140, "\\000026" + TEXT),  # noqa: RUF001 - a digit of another script
    ],
)
def test_what_only_resembles_a_token_is_malformed(text: str):
    with pytest.raises(TokenIsMalformed):
        read_token(text)


@given(text=st.text(max_size=200))
def test_no_text_does_more_than_be_malformed(text: str):
    assert not is_ours(text)


@given(letters=st.text(CROCKFORD, min_size=140, max_size=140))
def test_no_text_of_the_right_shape_is_ours_without_our_key(letters: str):
    assert not is_ours(TOKEN_PREFIX + letters)


def test_a_token_of_another_key_is_not_ours():
    stranger = new_signing_key(bytes([7] * 32))
    assert not is_ours(seal_token(TOKEN, stranger))
    read = read_token(TEXT)
    assert not token_is_ours(read, {1: stranger.public_key()})


def test_a_token_is_checked_with_the_key_that_it_names():
    read = read_token(seal_token(replace(TOKEN, key_id=2), KEY))
    assert token_is_ours(read, {2: KEY.public_key()})
    assert not token_is_ours(read, {1: KEY.public_key()})
    assert not token_is_ours(read, {})


def test_parts_of_two_tokens_make_no_third(seed):
    dice = Random(seed)
    for (_, one), (_, other) in itertools.combinations(golden(), 2):
        cut = dice.randrange(5, TOKEN_LENGTH)
        mixed = one[:cut] + other[cut:]
        assert mixed in {one, other} or not is_ours(mixed)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)
DOCUMENTS = st.dictionaries(st.text(max_size=6), JSON, max_size=5)


@given(document=DOCUMENTS)
def test_a_sealed_document_is_known_in_any_order_of_its_parts(document):
    signature = seal_document(document, KEY)
    turned = dict(reversed(document.items()))
    assert canonical(turned) == canonical(document)
    assert digest_of(turned) == digest_of(document)
    check_document(turned, signature, KEY.public_key())


@given(document=DOCUMENTS, part=st.text(max_size=6), value=JSON)
def test_a_changed_document_breaks_its_seal(document, part, value):
    signature = seal_document(document, KEY)
    changed = {**document, part: value}
    if canonical(changed) != canonical(document):
        with pytest.raises(SealIsBroken):
            check_document(changed, signature, KEY.public_key())


@pytest.mark.parametrize("signature", ["", "zz", "00", "00" * 63, "00" * 64, "00" * 65, "é"])
def test_what_is_no_signature_breaks_the_seal(signature: str):
    with pytest.raises(SealIsBroken):
        check_document({}, signature, KEY.public_key())


def _number_of(text: str) -> int:
    number = 0
    for letter in text.removeprefix(TOKEN_PREFIX):
        number = number * 32 + CROCKFORD.index(letter)
    return number >> 4


def _text_of(number: int) -> str:
    number <<= 4
    letters = [CROCKFORD[(number >> shift) & 31] for shift in range(139 * 5, -1, -5)]
    return TOKEN_PREFIX + "".join(letters)
