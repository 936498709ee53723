import Logging
import NFTablesProxy
import ServiceRouting
import SocketProxy
import UserspaceProxy

/// Starts the plane that was asked for, or the best that works.
struct DataPlaneStart {
    let plane: any DataPlane
    /// Which plane it is and why, what did not work, what would be faster: for a log or a terminal.
    let explanation: String

    /// Tries the candidates in order.
    ///
    /// - Parameter start: makes one plane; a parameter for the sake of tests.
    /// - Throws: ``DataPlaneFailure`` when none starts.
    init(
        _ choice: DataPlaneChoice, start: (DataPlaneKind) throws -> any DataPlane
    ) throws(DataPlaneFailure) {
        var failures: [String] = []
        for kind in choice.candidates {
            do {
                plane = try start(kind)
            } catch {
                failures.append("\(error)")
                continue
            }
            let advice = DataPlaneChoice.advice(instead: kind)
            explanation = (["data plane \(kind.rawValue): \(choice.reason)"] + failures + (advice.map { [$0] } ?? []))
                .joined(separator: "; ")
            return
        }
        throw DataPlaneFailure(reason: failures.joined(separator: "; "))
    }

    /// Makes a plane of one kind: the one place that knows them all.
    static func plane(
        _ kind: DataPlaneKind, userspace: UserspaceConfiguration, socket: SocketConfiguration,
        nftables: NFTablesConfiguration, logger: Logger
    ) throws -> any DataPlane {
        switch kind {
        case .userspace: try UserspacePlane(configuration: userspace, logger: logger)
        case .nftables: try NFTablesPlane(configuration: nftables, logger: logger)
        case .socket:
            // Node ports, and clients that the programs do not see, are relayed.
            try SocketPlane(
                configuration: socket, beneath: { try UserspacePlane(configuration: userspace, logger: logger) },
                logger: logger)
        }
    }
}

/// Why no data plane runs, and what to do about it.
package struct DataPlaneFailure: Error, Equatable, CustomStringConvertible {
    package let reason: String
    package var description: String { reason }
}
