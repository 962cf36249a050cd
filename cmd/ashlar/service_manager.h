#pragma once

namespace cmd {

// Tells systemd, when it asked to be told ($NOTIFY_SOCKET), that the service is ready or stopping.
// Source: sd_notify(3), the protocol on the socket.
void notify_ready();
void notify_stopping();

}  // namespace cmd
