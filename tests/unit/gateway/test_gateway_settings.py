"""Settings: where they come from, what is refused, what is never printed."""

from __future__ import annotations

import pytest

from gatepost_server.gateway.settings import GatewaySettings


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(tmp_path, monkeypatch):
    file = tmp_path / "gatepost.toml"
    file.write_text('[gateway]\nlisten = "f:1"\ntriton = "f:2"\ngrace_s = 3.0\n[triton]\nhost = "x"\n')
    monkeypatch.setenv("GATEPOST_GATEWAY_LISTEN", "e:1")
    monkeypatch.setenv("GATEPOST_GATEWAY_TRITON", "e:2")
    settings = GatewaySettings.load(file, listen="c:1")
    assert (settings.listen, settings.triton, settings.grace_s) == ("c:1", "e:2", 3.0)


def test_nested_settings_are_merged_key_by_key(tmp_path, monkeypatch):
    file = tmp_path / "gatepost.toml"
    file.write_text('[gateway.tls]\ncertificate = "c.pem"\nkey = "k.pem"\n')
    monkeypatch.setenv("GATEPOST_GATEWAY_TLS__KEY", "other.pem")
    settings = GatewaySettings.load(file)
    assert settings.tls is not None
    assert (settings.tls.certificate.name, settings.tls.key.name) == ("c.pem", "other.pem")


def test_a_misspelt_key_of_the_file_is_refused(tmp_path):
    file = tmp_path / "gatepost.toml"
    file.write_text('[gateway]\nlisen = "x:1"\n')
    with pytest.raises(ValueError, match="lisen"):
        GatewaySettings.load(file)


def test_what_kubernetes_sets_for_a_service_of_our_name_does_no_harm(monkeypatch):
    monkeypatch.setenv("GATEPOST_GATEWAY_PORT", "tcp://10.0.0.1:50051")
    monkeypatch.setenv("GATEPOST_GATEWAY_SERVICE_HOST", "10.0.0.1")
    assert GatewaySettings.load().listen == "127.0.0.1:50051"


def test_secrets_are_never_printed(monkeypatch):
    monkeypatch.setenv("GATEPOST_GATEWAY_TOKENS", '["hunter2"]')
    settings = GatewaySettings.load()
    assert settings.tokens[0].get_secret_value() == "hunter2"
    assert "hunter2" not in repr(settings) + str(settings.printable())


def test_addresses_are_logged_without_what_they_hold_of_secrets():
    jwks = "https://reader:hunter2@issuer.example/keys?token=hunter2"
    settings = GatewaySettings.load(
        oidc={"issuer": "i", "audience": "a", "jwks": jwks}, backlog="postgresql://u:hunter2@host/db"
    )
    printed = settings.printable()
    assert printed["oidc"]["jwks"] == "https://**********@issuer.example/keys?**********"
    assert "hunter2" not in str(printed)


def test_a_mistyped_address_of_the_backlog_is_no_file():
    with pytest.raises(ValueError, match="backlog is neither") as caught:
        GatewaySettings.load(backlog="postgresql:/u:hunter2@host/db")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"max_message_bytes": 20 << 20}, "max_message_bytes"),
        ({"max_bytes_in_flight": 1 << 20}, "max_bytes_in_flight"),
        ({"max_stream_images_in_flight": 99}, "max_stream_images_in_flight"),
        ({"max_images_in_flight": 0}, "max_images_in_flight"),
        ({"grace_s": -1}, "grace_s"),
        ({"max_deadline_s": float("inf")}, "max_deadline_s"),
        ({"image_uri_prefixes": ["ftp://x/"]}, "is not file://, http:// or https://"),
        ({"image_uri_prefixes": ["https://x"]}, "must end with '/'"),
        ({"image_uri_prefixes": ["file:///srv/images"]}, "must end with '/'"),
        ({"image_uri_prefixes": ["file://host/srv/"]}, "must be file:///folder/"),
        ({"image_uri_prefixes": ["https://user:secret@host/"]}, "must be file:///folder/"),
    ],
)
def test_settings_that_cannot_work_are_refused_at_start(changed, said):
    with pytest.raises(ValueError, match=said):
        GatewaySettings.load(**changed)


def test_a_mistake_in_the_settings_quotes_no_secret():
    with pytest.raises(ValueError, match="max_message_bytes") as caught:
        GatewaySettings.load(tokens=["hunter2"], max_message_bytes=1)
    assert "hunter2" not in str(caught.value)
    with pytest.raises(ValueError, match="tokens") as caught:
        GatewaySettings.load(tokens="hunter2")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "wrong",
    [{"algorithms": ["HS256"]}, {"algorithms": ["none"]}, {"algorithms": []}, {"leeway_s": 3_600}, {"issuer": ""}],
)
def test_an_issuer_is_described_with_care(wrong):
    with pytest.raises(ValueError, match="oidc"):
        GatewaySettings.load(oidc={"issuer": "i", "audience": "a", "jwks": "jwks.json", **wrong})
