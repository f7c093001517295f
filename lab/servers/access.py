"""Remote shells: sshd, which lets nobody in but the lab's own key, so that no guessed password can ever succeed."""


def start(lab):
    folder = lab.folder_for("shell")
    for name in ("host", "user"):
        if not (folder / f"{name}_key").exists():
            lab.jobs.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / f"{name}_key")], 20)
    (folder / "authorized_keys").write_text((folder / "user_key.pub").read_text())
    (folder / "authorized_keys").chmod(0o600)
    (folder / "files").mkdir(exist_ok=True)
    config = folder / "sshd_config"
    config.write_text(f"""
Port {lab.site.ssh_port}
HostKey {folder}/host_key
PidFile {folder}/sshd.pid
AuthorizedKeysFile {folder}/authorized_keys
AllowUsers root
PermitRootLogin prohibit-password
PasswordAuthentication yes
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
UseDNS no
MaxStartups 50:30:100
LoginGraceTime 60
PrintMotd no
Subsystem sftp internal-sftp
""")
    lab.jobs.run(["mkdir", "-p", "/run/sshd"], 5)
    lab.start("shell", ["/usr/sbin/sshd", "-D", "-e", "-f", config])
