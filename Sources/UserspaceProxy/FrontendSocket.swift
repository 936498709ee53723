import NetTypes
import ServiceRouting

#if canImport(Glibc)
import CLinux
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// Opens the sockets of frontends.
enum FrontendSocket {
    /// A non-blocking socket bound to exactly the frontend's address; TCP ones listen.
    ///
    /// Options set here are inherited by accepted connections, which saves system calls for each of them.
    static func open(_ frontend: Frontend) throws(SocketFailure) -> Int32 {
        let address = SocketAddress(frontend.address)
        let isTCP = frontend.proto == .tcp
        let socket = make(address.family, isStream: isTCP)
        guard socket >= 0 else { throw SocketFailure(code: errno) }
        // After a restart, old connections in TIME_WAIT must not keep the port; a second listener is still refused.
        if isTCP { enable(SOL_SOCKET, SO_REUSEADDR, on: socket) }
        if address.family == AF_INET6 { enable(Int32(IPPROTO_IPV6), IPV6_V6ONLY, on: socket) }
        if isTCP {
            enable(SOL_SOCKET, SO_KEEPALIVE, on: socket)
            enable(Int32(IPPROTO_TCP), TCP_NODELAY, on: socket)
        }
        var failed = address.withPointer { bind(socket, $0, $1) } != 0
        if !failed, isTCP { failed = listen(socket, 4096) != 0 }
        guard !failed else {
            let code = errno
            close(socket)
            throw SocketFailure(code: code)
        }
        return socket
    }

    /// A non-blocking socket that programs started by us do not inherit; negative, with errno, when there is none.
    private static func make(_ family: Int32, isStream: Bool) -> Int32 {
        #if os(Linux)
        let type = isStream ? SOCK_STREAM.rawValue : SOCK_DGRAM.rawValue
        return socket(family, Int32(type | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
        #else
        let socket = socket(family, isStream ? SOCK_STREAM : SOCK_DGRAM, 0)
        guard socket >= 0 else { return socket }
        _ = fcntl(socket, F_SETFD, FD_CLOEXEC)
        _ = fcntl(socket, F_SETFL, O_NONBLOCK)
        return socket
        #endif
    }

    /// Makes the kernel drop whatever arrives, handshakes included, so that clients time out (7.5, 7.17); or ends that.
    ///
    /// Does nothing where sockets have no filters: there a client is connected and never answered.
    static func setDeaf(_ deaf: Bool, _ socket: Int32) {
        #if os(Linux)
        var instruction = sock_filter(code: UInt16(BPF_RET | BPF_K), jt: 0, jf: 0, k: 0)
        withUnsafeMutablePointer(to: &instruction) { instruction in
            var program = sock_fprog(len: 1, filter: instruction)
            let option = deaf ? SO_ATTACH_FILTER : SO_DETACH_FILTER
            setsockopt(socket, SOL_SOCKET, option, &program, socklen_t(MemoryLayout<sock_fprog>.size))
        }
        #endif
    }

    static func enable(_ level: Int32, _ option: Int32, on socket: Int32) {
        var one: Int32 = 1
        setsockopt(socket, level, option, &one, socklen_t(MemoryLayout<Int32>.size))
    }
}

/// What the kernel said when a socket could not be opened.
struct SocketFailure: Error {
    let code: Int32

    /// In the words of the contract; `holder` looks for the process that has the port.
    func cause(holder: () -> String?) -> FrontendProblem.Cause {
        switch code {
        case EADDRINUSE: .inUse(by: holder())
        case EACCES, EPERM: .notPermitted
        case EADDRNOTAVAIL: .noSuchAddress
        default: .other(String(cString: strerror(code)))
        }
    }
}
