package import ArgumentParser
import Glibc

/// `<program> healthcheck`: asks a running one whether it is ready, for containers without curl.
package struct HealthcheckCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "healthcheck", abstract: "Ask the program that runs here whether it is ready.",
        discussion: "Exit code 0: it is; 1: it is not, or does not answer. For a container's HEALTHCHECK.")

    @Option(help: ArgumentHelp("The address that the program listens on.", valueName: "address"))
    var bindAddress = "::"

    @Option(help: ArgumentHelp("The port for HTTP that the program listens on.", valueName: "port"))
    var httpPort: UInt16 = 8080

    @Option(help: ArgumentHelp("What to ask for.", valueName: "path"))
    var path = "/healthz/ready"

    @Option(help: ArgumentHelp("How long to wait.", valueName: "seconds"))
    var timeoutSeconds = 2

    package init() {}

    package mutating func validate() throws { try ServerOptions.check("timeout-seconds", timeoutSeconds, 1...60) }

    package func run() throws {
        var lastError = "no address"
        for host in Self.hosts(for: bindAddress) {
            do {
                let line = try Self.statusLine(host: host, port: httpPort, path: path, seconds: timeoutSeconds)
                let words = line.split(separator: " ")
                if words.count > 1, let code = Int(words[1]), (200..<300).contains(code) { return }
                StandardStream.error.write("not ready: \(line)\n")
                throw ExitCode(1)
            } catch let failure as StartFailure {
                lastError = "\(host) port \(httpPort): \(failure)"
            }
        }
        StandardStream.error.write("no answer: \(lastError)\n")
        throw ExitCode(1)
    }

    static let environmentArguments = EnvironmentArguments(options: ["bind-address", "http-port"])

    /// Where a program that listens on `address` can be reached.
    private static func hosts(for address: String) -> [String] {
        switch address {
        case "::": ["127.0.0.1", "::1"]
        case "0.0.0.0": ["127.0.0.1"]
        default: [address]
        }
    }

    private static func statusLine(
        host: String, port: UInt16, path: String, seconds: Int
    ) throws(StartFailure) -> String {
        func failure(_ what: String) -> StartFailure { StartFailure("\(what): \(String(cString: strerror(errno)))") }
        var hints = addrinfo()
        hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, "\(port)", &hints, &list) == 0, let address = list else {
            throw StartFailure("not an address")
        }
        defer { freeaddrinfo(list) }
        let descriptor = socket(address.pointee.ai_family, address.pointee.ai_socktype, 0)
        guard descriptor >= 0 else { throw failure("socket") }
        defer { close(descriptor) }
        var limit = timeval(tv_sec: seconds, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
        guard connect(descriptor, address.pointee.ai_addr, address.pointee.ai_addrlen) == 0 else {
            throw failure("connect")
        }
        let request = "GET \(path) HTTP/1.1\r\nHost: localhost\r\nUser-Agent: healthcheck\r\nConnection: close\r\n\r\n"
        guard request.withCString({ send(descriptor, $0, strlen($0), Int32(MSG_NOSIGNAL)) }) > 0 else {
            throw failure("send")
        }
        var received: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 512)
        while !received.contains(0x0A), received.count < 4096 {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { throw failure("receive") }
            received += buffer[..<count]
        }
        return String(decoding: received.prefix { $0 != 0x0D && $0 != 0x0A }, as: UTF8.self)
    }
}
