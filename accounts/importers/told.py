"""What a snapshot tells of one IAM user's credentials."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from accounts.importers.facts import Credentials, Device, Fact, LastUse, OtherCredential, Password
from accounts.importers.reported_keys import joined
from accounts.importers.snapshot import Snapshot, Who, keys_of
from accounts.models import IAMCredential, Source
from portal.aws.iam.credential_report import CredentialReportRow, ReportedAccessKey
from portal.aws.iam.mfa_devices import MFADevice, VirtualMFADevice

Kind = IAMCredential.Kind
Others = dict[IAMCredential.Kind, Fact[tuple[OtherCredential, ...]]]


def credentials_of(snapshot: Snapshot, user_id: str) -> Credentials:
    """All that the snapshot says of them; a user younger than the report has only what was asked for by itself."""
    return _Told(snapshot, snapshot.users[user_id]).credentials()


@dataclass(frozen=True)
class _Told:
    snapshot: Snapshot
    who: Who

    @property
    def _row(self) -> CredentialReportRow | None:
        return self.snapshot.report.get(self.who.identity)

    def credentials(self) -> Credentials:
        listed = self.snapshot.singly.access_keys.get(self.who.user_id)
        return Credentials(
            password=self._password(),
            access_keys=None if listed is None else Fact(listed, Source.LIST_ACCESS_KEYS, self.snapshot.read_at),
            last_uses=self._last_uses(),
            mfa_devices=self._mfa_devices(),
            others=self._others(),
        )

    def _password(self) -> Fact[Password | None] | None:
        row = self._row
        if row is None:
            return None
        password = Password(row.password_last_used, row.password_last_changed) if row.password_enabled else None
        return Fact(password, Source.CREDENTIAL_REPORT, self.snapshot.report_time)

    def _last_uses(self) -> Mapping[str, Fact[LastUse]]:
        keys = keys_of(self.who.user_id, self.snapshot.singly.access_keys, self.snapshot.known)
        told = {} if self._row is None else joined(self._row, keys)
        found = {key_id: self._reported(column) for key_id, column in told.items()}
        return found | {
            key.access_key_id: self._asked(key.access_key_id)
            for key in keys
            if key.access_key_id in self.snapshot.singly.last_uses
        }

    def _reported(self, column: ReportedAccessKey) -> Fact[LastUse]:
        use = LastUse(
            column.last_used_date, column.last_used_region or "", column.last_used_service or "", column.last_rotated
        )
        return Fact(use, Source.CREDENTIAL_REPORT, self.snapshot.report_time)

    def _asked(self, access_key_id: str) -> Fact[LastUse]:
        used = self.snapshot.singly.last_uses[access_key_id]
        use = LastUse(used.last_used_date, used.region or "", used.service_name or "")
        return Fact(use, Source.GET_ACCESS_KEY_LAST_USED, self.snapshot.read_at)

    def _mfa_devices(self) -> Fact[tuple[Device, ...]] | None:
        """All that are virtual are in one list; of other kinds only the user's own list and the report tell."""
        listed = self.snapshot.singly.mfa_devices.get(self.who.user_id)
        if listed is not None:
            return Fact(_devices(listed), Source.LIST_MFA_DEVICES, self.snapshot.read_at)
        virtual = _devices(self.snapshot.virtual_mfa.get(self.who.user_name, ()))
        if self.who.user_id not in self.snapshot.known.with_hardware_mfa:
            return Fact(virtual, Source.LIST_MFA_DEVICES, self.snapshot.read_at)
        if self._row is None or self._row.mfa_active:
            return None
        return Fact(virtual, Source.CREDENTIAL_REPORT, self.snapshot.report_time)

    def _others(self) -> Others:
        services = self.snapshot.service_credentials.get(self.who.user_name, ())
        found: Others = {
            Kind.SERVICE_SPECIFIC_CREDENTIAL: Fact(
                tuple(
                    OtherCredential(
                        each.service_specific_credential_id, each.status, each.create_date, each.service_name
                    )
                    for each in services
                ),
                Source.LIST_SERVICE_SPECIFIC_CREDENTIALS,
                self.snapshot.read_at,
            )
        }
        certificates = self.snapshot.singly.certificates.get(self.who.user_id)
        if certificates is not None:
            held = tuple(OtherCredential(each.certificate_id, each.status, each.upload_date) for each in certificates)
            found[Kind.SIGNING_CERTIFICATE] = Fact(held, Source.LIST_SIGNING_CERTIFICATES, self.snapshot.read_at)
        return found


def _devices(told: Iterable[MFADevice | VirtualMFADevice]) -> tuple[Device, ...]:
    return tuple(Device(device.serial_number, device.enable_date) for device in told)
