"""The listening sockets: bound once by the supervisor, inherited by every worker, outliving all of them."""

import os
import socket
import ssl

from gateway.config.snapshot import Listener

_BACKLOG = 4096


def bind(listener: Listener) -> socket.socket:
    """Raises OSError with the address in its text: taken, not ours, not allowed."""
    host, port = listener.address
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        raise OSError(error.errno, f"cannot listen on {host}:{port}: {os.strerror(error.errno or 0)}") from error
    listening.setblocking(False)
    listening.set_inheritable(True)
    return listening


def tls_context(listener: Listener) -> ssl.SSLContext | None:
    """TLS 1.2 with forward secrecy and authenticated encryption, or 1.3 (ANSSI SDE-NT-35); None without TLS."""
    if listener.certificate is None or listener.key is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE+AESGCM:ECDHE+CHACHA20")
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    context.set_alpn_protocols(["http/1.1"])
    load_certificate(context, listener)
    return context


def load_certificate(context: ssl.SSLContext, listener: Listener) -> None:
    """New handshakes of a live context get this pair; the ssl module reads files only, so it gets one in memory."""
    certificate, key = _in_memory(listener.certificate or b""), _in_memory(listener.key or b"")
    try:
        context.load_cert_chain(f"/proc/self/fd/{certificate}", f"/proc/self/fd/{key}")
    finally:
        os.close(certificate)
        os.close(key)


def _in_memory(content: bytes) -> int:
    descriptor = os.memfd_create("pem", os.MFD_CLOEXEC)
    os.write(descriptor, content)
    return descriptor
