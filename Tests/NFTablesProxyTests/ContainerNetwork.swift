#if os(Linux)
import CLinux
import DataPlaneContract
import Glibc
import KiadaTesting
import NetTypes

/// What docker compose makes, in namespaces: this process is in the proxy's container, the others are named.
///
///     10.96.0.0/16   bridge in `lan` (.255.254, where published ports come from)
///       │
///       ├─ this process  .255.2  owns 10.96.0.0/17 by a local route; forwards
///       ├─ pod-a .128.5,  pod-b .128.6
///       └─ client .128.9
///
/// All are on one link: without masquerading, an endpoint would answer the client past the proxy.
enum ContainerNetwork {
    static let proxy = address("10.96.255.2")
    static let clientAddress = address("10.96.128.9")

    static func address(_ text: String) -> IPAddress { IPAddress(text) ?? PlaneUnderTest.host6 }

    static func endpoint(_ text: String, _ port: UInt16) -> SocketEndpoint {
        SocketEndpoint(address: address(text), port: port)
    }

    /// Made once for all tests of the process, and gone with it.
    static let isMade: Bool = {
        let script = """
            set -e
            ip netns add lan
            ip -n lan link set lo up
            ip -n lan link add br0 type bridge
            ip -n lan addr add 10.96.255.254/16 dev br0
            ip -n lan addr add fd00:96::ffff/64 dev br0 nodad
            ip -n lan link set br0 up
            join() { # name of the port on the bridge, namespace option, IPv4 and IPv6 address
                ip link add "$1" netns lan type veth peer name eth0 $3
                ip -n lan link set "$1" master br0 up
                ip $2 link set lo up
                ip $2 addr add "$4/16" dev eth0
                ip $2 addr add "$5/64" dev eth0 nodad
                ip $2 link set eth0 up
                ip $2 route add default via 10.96.255.254
            }
            for pod in pod-a:5 pod-b:6 client:9; do
                name=${pod%:*}; number=${pod#*:}
                ip netns add "$name"
                join "$name" "-n $name" "netns $name" "10.96.128.$number" "fd00:96::8:$number"
            done
            join proxy "" "" 10.96.255.2 fd00:96::2
            ip route add local 10.96.0.0/17 dev eth0
            ip -6 route add local fd00:96:0:1::/64 dev eth0
            for name in lan client pod-a pod-b; do ip -n "$name" -6 route add fd00:96:0:1::/64 via fd00:96::2; done
            echo 1 > /proc/sys/net/ipv4/ip_forward
            # The kernel's redirects, which connection tracking drops, would use up a client's share of ICMP messages.
            echo 0 > /proc/sys/net/ipv4/icmp_ratelimit
            echo 1 > /proc/sys/net/ipv6/conf/all/forwarding
            """
        return run("sh", ["-c", script])
    }()

    /// Runs a program to its end, before any test: it may block.
    private static func run(_ program: String, _ arguments: [String]) -> Bool {
        var argv = ([program] + arguments).map { strdup($0) } + [nil]
        defer { for text in argv { free(text) } }
        var pid: pid_t = 0
        guard posix_spawnp(&pid, program, nil, nil, &argv, environ) == 0 else { return false }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        return status == 0
    }

    /// Whether `host` answers a ping from the client's container.
    static func answersPing(_ host: IPAddress) throws -> Bool {
        let socket = try NetworkNamespace.enter("client") {
            TestSocket(Glibc.socket(AF_INET, Int32(SOCK_RAW.rawValue), 1))
        }
        socket.limitWaits(milliseconds: 300)
        guard socket.connect(to: SocketEndpoint(address: host, port: 0)) == 0 else { return false }
        // Type 8, code 0, checksum, identifier and number 0.
        socket.write([8, 0, 0xF7, 0xFF, 0, 0, 0, 0])
        // An IP header of 20 octets comes first; type 0 is the answer.
        while let packet = socket.read(), packet.count > 20 {
            if packet[20] == 0 { return true }
        }
        return false
    }
}
#endif
