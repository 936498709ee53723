import Glibc
import Logging
import NFTablesProxy
import NetTypes
import ServiceRouting

/// Loads many Services into the nftables plane, then replaces and removes endpoints, one at a time: a row of a table per size.
///
///     SyncBenchmark 10000x10 50000x2
@main
enum SyncBenchmark {
    private static let changes = 21

    static func main() async throws {
        for argument in CommandLine.arguments.dropFirst() {
            let numbers = argument.split(separator: "x").compactMap { UInt32($0) }
            guard numbers.count == 2 else {
                print("SIZE is Services x endpoints, like 10000x10, not '\(argument)'")
                exit(64)
            }
            try await measure(services: numbers[0], endpoints: numbers[1])
        }
    }

    private static func measure(services: UInt32, endpoints: UInt32) async throws {
        var all = RoutingDiff()
        all.changed = (0..<services).map { route($0, endpoints: endpoints, turn: 0) }
        all.isComplete = true
        let plane = try NFTablesPlane(logger: Logger(label: "benchmark"))
        let clock = ContinuousClock()
        let cpuBefore = cpuSeconds()
        var problems: [FrontendProblem] = []
        let load = await clock.measure { problems = await plane.apply(all) }
        let cpuOfLoad = cpuSeconds() - cpuBefore
        /// Replaces, or takes away, the first endpoint of `changes` Services, one after the other.
        func change(isReplaced: Bool) async -> (times: [Duration], cpu: Double) {
            var times: [Duration] = []
            let before = cpuSeconds()
            for turn in 1...UInt32(changes) {
                var diff = RoutingDiff()
                let index = turn &* (isReplaced ? 7919 : 7907) % services
                diff.changed = [route(index, endpoints: endpoints, turn: turn, withFirst: isReplaced)]
                var left: [FrontendProblem] = []
                times.append(await clock.measure { left = await plane.apply(diff) })
                problems += left
            }
            return (times.sorted(), (cpuSeconds() - before) / Double(changes))
        }
        let replaced = await change(isReplaced: true)
        let removed = await change(isReplaced: false)
        let counted = await plane.counters().count
        await plane.stop()
        guard problems.isEmpty, counted > 0 else {
            print("not everything was loaded: \(problems.first?.description ?? "no endpoint is counted")")
            exit(1)
        }
        let cells = [
            "\(services) x \(endpoints)", text(load), text(cpuOfLoad),
            text(replaced.times[changes / 2]), text(replaced.times[changes - 1]), text(replaced.cpu),
            text(removed.times[changes / 2]), text(removed.times[changes - 1]), text(removed.cpu),
            "\(peakMemory()) MB",
        ]
        print("| " + cells.joined(separator: " | ") + " |")
    }

    /// Service number `index`; with another `turn` its first endpoint, if it has that, is another one.
    private static func route(
        _ index: UInt32, endpoints: UInt32, turn: UInt32, withFirst: Bool = true
    ) -> FrontendRoute {
        func address(_ bits: UInt32, _ port: UInt16) -> SocketEndpoint {
            SocketEndpoint(address: .v4(IPv4Address(bits: bits)), port: port)
        }
        let list = ((withFirst ? 0 : 1)..<endpoints).map { number in
            let bits = 0x0B00_0000 + index * endpoints + number
            return RoutedEndpoint(address: address(number == 0 ? bits + turn << 24 : bits, 8080))
        }
        return FrontendRoute(
            frontend: Frontend(address(0x0A60_0000 + index, 80), .tcp), kind: .clusterIP,
            port: ServicePortID(
                service: ServiceID(namespace: "kiada", name: "service-\(index)"), portName: "http", proto: .tcp),
            outside: .forward(EndpointList(list)))
    }

    private static func cpuSeconds() -> Double {
        var usage = rusage()
        getrusage(RUSAGE_SELF.rawValue, &usage)
        return [usage.ru_utime, usage.ru_stime].reduce(0) { $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6 }
    }

    /// The most that the process has held so far, in megabytes.
    private static func peakMemory() -> Int {
        var usage = rusage()
        getrusage(RUSAGE_SELF.rawValue, &usage)
        return usage.ru_maxrss / 1024
    }

    private static func text(_ duration: Duration) -> String { text(duration / .seconds(1)) }

    private static func text(_ seconds: Double) -> String {
        let microseconds = Int((seconds * 1e6).rounded())
        return microseconds < 10_000 ? "\(microseconds) µs" : "\(microseconds / 1000) ms"
    }
}
