//! Names of services, and which one a flow speaks.
//!
//! One fixed, ordered table serves the filters ("ssh"), the rendered event, the question parser and the event network,
//! whose `service` input is the place in this table. **Append only**: moving a line breaks every trained model.

use crate::Event;

/// A service: its name and the well-known server ports it is recognised by (IANA service names registry).
pub struct Service {
    /// Lower case, as in filters and in `app.protocol`.
    pub name: &'static str,
    /// Other names people and tools use for it, lower case.
    pub aliases: &'static [&'static str],
    /// Well-known ports of its server side.
    pub ports: &'static [u16],
}

const fn service(name: &'static str, aliases: &'static [&'static str], ports: &'static [u16]) -> Service {
    Service { name, aliases, ports }
}

/// Every service known by name. Place 0 is "none of them".
pub const SERVICES: &[Service] = &[
    service("unknown", &[], &[]),
    service("http", &["web"], &[80, 8000, 8008, 8080, 8081, 3128]),
    service("tls", &["https", "ssl"], &[443, 8443]),
    service("quic", &["http3"], &[]),
    service("dns", &["domain"], &[53]),
    service("mdns", &["bonjour"], &[5353]),
    service("llmnr", &[], &[5355]),
    service("ssh", &["sftp", "scp"], &[22, 2222]),
    service("telnet", &[], &[23, 2323]),
    service("ftp", &["ftp-data"], &[20, 21]),
    service("tftp", &[], &[69]),
    service("smtp", &["mail", "smtps", "submission"], &[25, 465, 587]),
    service("imap", &["imaps"], &[143, 993]),
    service("pop3", &["pop3s"], &[110, 995]),
    service("ntp", &[], &[123]),
    service("dhcp", &["bootp", "dhcpv6"], &[67, 68, 546, 547]),
    service("snmp", &[], &[161, 162]),
    service("syslog", &[], &[514, 6514]),
    service("smb", &["cifs", "microsoft-ds"], &[445]),
    service("netbios", &["netbios-ns", "netbios-ssn"], &[137, 138, 139]),
    service("ldap", &["ldaps"], &[389, 636, 3268]),
    service("kerberos", &["krb5"], &[88]),
    service("rdp", &["ms-wbt-server"], &[3389]),
    service("vnc", &["rfb"], &[5900, 5901]),
    service("mysql", &["mariadb"], &[3306]),
    service("postgresql", &["postgres", "pgsql"], &[5432]),
    service("redis", &[], &[6379]),
    service("mongodb", &["mongo"], &[27017]),
    service("mssql", &["tds", "ms-sql"], &[1433, 1434]),
    service("oracle", &["tns"], &[1521]),
    service("memcached", &["memcache"], &[11211]),
    service("elasticsearch", &[], &[9200]),
    service("mqtt", &[], &[1883, 8883]),
    service("amqp", &["rabbitmq"], &[5672]),
    service("nats", &[], &[4222]),
    service("kafka", &[], &[9092]),
    service("sip", &[], &[5060, 5061]),
    service("rtp", &["rtcp"], &[]),
    service("stun", &["turn"], &[3478]),
    service("ssdp", &["upnp"], &[1900]),
    service("modbus", &[], &[502]),
    service("s7comm", &["s7"], &[102]),
    service("dnp3", &[], &[20000]),
    service("enip", &["ethernet/ip", "cip"], &[44818]),
    service("bacnet", &[], &[47808]),
    service("opcua", &["opc-ua"], &[4840]),
    service("iec104", &["iec-104"], &[2404]),
    service("wireguard", &[], &[51820]),
    service("openvpn", &[], &[1194]),
    service("ipsec", &["ike", "isakmp"], &[500, 4500]),
    service("gre", &[], &[]),
    service("icmp", &["ping", "icmpv6"], &[]),
    service("netflow", &["ipfix"], &[2055, 4739]),
    service("bgp", &[], &[179]),
    service("nfs", &[], &[2049]),
    service("rpc", &["sunrpc", "portmap", "dcerpc"], &[111, 135]),
    service("irc", &[], &[6667, 6697]),
    service("bittorrent", &["torrent"], &[6881]),
    service("xmpp", &["jabber"], &[5222]),
    service("rtsp", &[], &[554]),
    service("radius", &[], &[1812, 1813]),
    service("winrm", &[], &[5985, 5986]),
    service("whois", &[], &[43]),
    service("coap", &[], &[5683]),
];

/// Size of the `service` vocabulary of event networks; room to append without retraining the table's shape.
pub const SERVICE_VOCABULARY: usize = 128;

const _: () = assert!(SERVICES.len() <= SERVICE_VOCABULARY);

/// The place in [`SERVICES`] of what `event` speaks: by `app.protocol` where a source said so, else by protocol number,
/// else by the server's port, else 0.
pub fn service_of(event: &Event) -> usize {
    if let Some(place) = event.app.protocol.as_deref().and_then(place_of) {
        return place;
    }
    match event.flow.protocol {
        1 | 58 => place_of("icmp").unwrap_or(0),
        47 => place_of("gre").unwrap_or(0),
        6 | 17 | 132 => by_port(event.flow.dst_port).or_else(|| by_port(event.flow.src_port)).unwrap_or(0),
        _ => 0,
    }
}

/// The place of the service called `name` (or by an alias of it), lower case.
pub fn place_of(name: &str) -> Option<usize> {
    SERVICES.iter().position(|service| service.name == name || service.aliases.contains(&name))
}

fn by_port(port: u16) -> Option<usize> {
    SERVICES.iter().position(|service| service.ports.contains(&port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_ports_are_not_claimed_twice() {
        let names: Vec<&str> =
            SERVICES.iter().flat_map(|s| std::iter::once(s.name).chain(s.aliases.iter().copied())).collect();
        let ports: Vec<u16> = SERVICES.iter().flat_map(|s| s.ports.iter().copied()).collect();
        for (i, name) in names.iter().enumerate() {
            assert!(!names[..i].contains(name), "{name} stands twice");
        }
        for (i, port) in ports.iter().enumerate() {
            assert!(!ports[..i].contains(port), "{port} stands twice");
        }
    }

    #[test]
    fn the_source_is_believed_before_the_port() {
        let mut event = Event::default();
        event.flow.protocol = 6;
        event.flow.dst_port = 443;
        assert_eq!(SERVICES[service_of(&event)].name, "tls");
        event.app.protocol = Some("ssh".to_owned());
        assert_eq!(SERVICES[service_of(&event)].name, "ssh");
    }
}
