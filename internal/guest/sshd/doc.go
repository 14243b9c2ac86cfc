// Package sshd is the SSH server of the container: what `mngr connect`, `mngr exec`, and
// any OpenSSH ssh, scp, sftp, rsync or editor talk to on port 22 of the container.
//
// It serves root only, by public key. Commands run with /bin/sh -c; a session that sends
// the environment variable MNGR_AGENT gets that agent's work directory and environment.
// Only the guest program imports it.
//
// It differs from OpenSSH's sshd in three chosen ways:
//   - A session ends when its command does, even if a background child still holds the
//     output open (sshd waits for that child).
//   - A command without a terminal gets SIGHUP when its client goes away (sshd lets it run
//     on); nohup and setsid protect from it as usual.
//   - When too many clients are not logged in yet, the oldest of them is dropped, so that
//     a flood of silent connections keeps nobody out.
package sshd
