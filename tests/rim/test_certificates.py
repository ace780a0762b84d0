"""The authority is made once, certifies what it is asked and no more, and renews in time."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from cloud_controller.certificates import OWN_LIFE, Authority, CertificateFiles
from cloud_controller.credentials import Credentials
from common.errors import CannotStart
from common.files import FileCannotBeKept, kept, replace
from common.rules.enrolment import Ladder
from common.tls import CertificateIsUnusable, fingerprint_of, serving, trusting
from tests.fakes.names import CountedNames
from tests.fakes.store import ClockInHand

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key()
PUBLIC_KEY = KEY.public_bytes_raw().hex()
NAMES = ["store.example", "192.0.2.7"]


class Clock:
    """Stands where it is put."""

    def __init__(self) -> None:
        self.at = NOW

    def now_ms(self) -> int:
        return round(self.at.timestamp() * 1_000)

    def steady_seconds(self) -> float:
        return self.at.timestamp()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def authority(tmp_path: Path, clock: Clock) -> Authority:
    return Authority(tmp_path / "keys", clock, CountedNames())


def certificate_in(files: CertificateFiles) -> x509.Certificate:
    return x509.load_pem_x509_certificate(files.certificate.read_bytes())


def revoked_by(authority: Authority) -> x509.CertificateRevocationList:
    return x509.load_pem_x509_crl(authority.revoked_file.read_bytes())


def test_the_authority_is_made_once_and_found_again(tmp_path, authority, clock):
    again = Authority(tmp_path / "keys", clock, CountedNames())
    assert again.pem == authority.pem == authority.file.read_text("ascii")
    assert fingerprint_of(again.pem) == fingerprint_of(authority.pem)


def test_the_authority_may_certify_and_nobody_it_certifies_may(authority):
    own = x509.load_pem_x509_certificate(authority.pem.encode())
    shown = certificate_in(authority.server_files(NAMES))
    for certificate, certifies in ((own, True), (shown, False)):
        limits = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
        assert (limits.ca, usage.key_cert_sign, usage.crl_sign) == (certifies,) * 3
        certificate.verify_directly_issued_by(own)
    assert own.not_valid_after_utc - NOW > timedelta(days=19 * 365)


def test_every_file_is_for_our_eyes_only_and_none_is_left_half_written(tmp_path, authority):
    authority.server_files(NAMES)
    authority.certify_self("controller")
    authority.take_back({})
    files = {file.name: file.stat().st_mode & 0o777 for file in (tmp_path / "keys").iterdir()}
    assert files == dict.fromkeys(
        "authority-key authority.pem server-key server.pem "
        "controller-key controller.pem revoked.pem".split(),
        0o600,
    )
    assert (tmp_path / "keys").stat().st_mode & 0o077 == 0


def test_a_key_that_is_another_ones_is_one_clear_sentence(tmp_path, authority, clock):
    authority.file.with_name("authority-key").unlink()
    names = CountedNames()
    names.secret_bytes(1)
    with pytest.raises(CannotStart, match="does not belong to the key beside it"):
        Authority(tmp_path / "keys", clock, names)


@pytest.mark.parametrize("name", ["authority-key", "authority.pem"])
def test_a_spoilt_file_is_one_clear_sentence(tmp_path, authority, clock, name):
    authority.file.with_name(name).write_text("spoilt")
    with pytest.raises(CannotStart, match=f"{name} is not one of ours"):
        Authority(tmp_path / "keys", clock, CountedNames())


def test_a_server_is_certified_for_its_names_and_addresses(authority):
    certificate = certificate_in(authority.server_files(NAMES))
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert names.get_values_for_type(x509.DNSName) == ["store.example"]
    assert [str(each) for each in names.get_values_for_type(x509.IPAddress)] == ["192.0.2.7"]
    assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH]


def test_a_certificate_holds_for_a_pc_that_takes_its_local_time_for_utc(authority):
    begins = certificate_in(authority.server_files(NAMES)).not_valid_before_utc
    assert begins <= NOW - timedelta(hours=14)


def test_a_certificate_is_renewed_when_a_third_of_its_life_is_left(authority, clock):
    first = authority.server_files(NAMES)
    key = first.key.read_bytes()
    assert first.is_new
    clock.at = NOW + OWN_LIFE * 0.65
    assert not authority.server_files(NAMES).is_new
    clock.at = NOW + OWN_LIFE * 0.68
    assert authority.server_files(NAMES).is_new
    assert not authority.server_files(NAMES).is_new
    assert first.key.read_bytes() == key  # so that certificate and key fit, whenever they are read


def test_a_certificate_of_the_future_is_renewed_when_the_clock_is_put_right(authority, clock):
    clock.at = NOW + timedelta(days=3_650)
    assert authority.server_files(NAMES).is_new
    clock.at = NOW
    assert authority.server_files(NAMES).is_new


def test_a_certificate_is_renewed_for_other_names_and_not_for_their_order(authority):
    assert authority.server_files(NAMES).is_new
    assert not authority.server_files([*reversed(NAMES), NAMES[0]]).is_new
    assert authority.server_files(NAMES[:1]).is_new


def test_a_certificate_of_an_authority_that_is_gone_is_renewed(tmp_path, authority, clock):
    authority.server_files(NAMES)
    for file in (tmp_path / "keys").glob("authority*"):
        file.unlink()
    names = CountedNames()
    names.secret_bytes(1)
    assert Authority(tmp_path / "keys", clock, names).server_files(NAMES).is_new


def test_the_controller_has_a_certificate_by_which_it_calls(authority):
    files = authority.certify_self("controller")
    certificate = certificate_in(files)
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert not authority.certify_self("controller").is_new


def test_a_terminal_is_certified_for_its_own_key_and_name(authority):
    certified = authority.certify_terminal("t-1", PUBLIC_KEY)
    certificate = x509.load_pem_x509_certificate(certified.pem.encode())
    [name] = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert name.value == "t-1"
    assert certificate.public_key() == KEY
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert int(certified.serial, 16) == certificate.serial_number
    assert certified.expires_at == (NOW + timedelta(days=90)).timestamp() * 1_000


def test_no_two_certificates_have_one_serial(authority):
    serials = {authority.certify_terminal("t-1", PUBLIC_KEY).serial for _ in range(20)}
    assert len(serials) == 20


def test_the_list_of_the_revoked_is_written_only_when_it_changes(authority):
    assert authority.take_back({})
    assert not authority.take_back({})
    serial = authority.certify_terminal("t-1", PUBLIC_KEY).serial
    revoked_at = round((NOW - timedelta(days=1)).timestamp() * 1_000)
    assert authority.take_back({serial: revoked_at})
    assert not authority.take_back({serial: revoked_at})
    [entry] = revoked_by(authority)
    assert entry.serial_number == int(serial, 16)
    assert entry.revocation_date_utc == NOW - timedelta(days=1)
    assert authority.take_back({})
    assert list(revoked_by(authority)) == []


def test_each_list_is_later_than_the_one_before_and_none_is_still_to_come(authority, clock):
    dates = []
    for serial, years in enumerate((0, 10, -1, 0)):  # the clock stands still, jumps, and comes back
        clock.at = NOW + timedelta(days=365 * years)
        assert authority.take_back({f"{serial + 1:x}": 0})
        dates.append(revoked_by(authority).last_update_utc)
    assert dates == sorted(set(dates))
    assert dates[-1] < NOW - timedelta(days=365)


@pytest.mark.parametrize("years", [26, 56])
def test_a_list_written_while_the_clock_was_decades_behind_is_written_anew(authority, clock, years):
    clock.at = NOW - timedelta(days=365 * years)
    assert authority.take_back({})
    clock.at = NOW
    assert authority.take_back({})
    assert not authority.take_back({})


def test_a_spoilt_list_is_one_clear_sentence(authority):
    authority.revoked_file.write_text("spoilt")
    with pytest.raises(CannotStart, match=r"revoked\.pem is not one of ours"):
        authority.take_back({})


def test_only_this_authority_is_trusted_by_name_and_over_the_newest_tls(authority):
    context = trusting(authority.pem)
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.minimum_version == ssl.TLSVersion.TLSv1_3
    assert len(context.get_ca_certs()) == 1


@pytest.mark.parametrize("spoilt", ["", "spoilt", "-----BEGIN CERTIFICATE-----"])
def test_what_is_no_certificate_is_one_clear_sentence(spoilt):
    with pytest.raises(CertificateIsUnusable, match="The controller's authority cannot be used"):
        trusting(spoilt)
    with pytest.raises(CertificateIsUnusable, match="The controller's authority cannot be used"):
        fingerprint_of(spoilt)


def test_a_certificate_with_anothers_key_is_one_clear_sentence(tmp_path, authority):
    server, own = authority.server_files(NAMES), authority.certify_self("controller")
    serving(server.certificate, server.key)
    with pytest.raises(CertificateIsUnusable, match=r"server\.pem cannot be used"):
        serving(server.certificate, own.key)
    with pytest.raises(CertificateIsUnusable, match=r"none\.pem cannot be used: No such file"):
        trusting(authority.pem, certificate=tmp_path / "none.pem", key=own.key)


def test_what_a_power_cut_left_half_written_is_written_anew(tmp_path):
    (tmp_path / "secret.new").write_bytes(b"hal")
    assert kept(tmp_path / "secret", lambda: b"whole") == b"whole"
    assert kept(tmp_path / "secret", lambda: b"another") == b"whole"
    assert [file.name for file in tmp_path.iterdir()] == ["secret"]


def test_a_disk_that_takes_nothing_is_one_clear_sentence_and_changes_nothing(tmp_path):
    replace(tmp_path / "secret", b"old")
    (tmp_path / "secret.new").mkdir()
    with pytest.raises(FileCannotBeKept, match="secret cannot be kept: Is a directory"):
        replace(tmp_path / "secret", b"new")
    assert (tmp_path / "secret").read_bytes() == b"old"


def test_what_the_controller_shows_is_renewed_in_time_and_only_then(tmp_path):
    clock = ClockInHand()
    credentials = Credentials(
        tmp_path,
        ladder=Ladder.CERTIFICATE,
        has_pages=True,
        server_names=frozenset({"127.0.0.1"}),
        clock=clock,
        names=CountedNames(),
    )
    assert credentials.calling("controller") is not None
    credentials.serving()
    shown = [(tmp_path / f"{name}.pem").read_bytes() for name in ("server", "controller")]
    assert not credentials.renew()
    clock.move(300 * 86_400)
    assert credentials.renew()
    renewed = [(tmp_path / f"{name}.pem").read_bytes() for name in ("server", "controller")]
    assert all(new != old for new, old in zip(renewed, shown, strict=True))
    assert not credentials.renew()
