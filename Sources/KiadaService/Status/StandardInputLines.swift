import Foundation
import ServiceLifecycle

/// Hands each line of a descriptor, normally standard input, to a closure.
///
/// A thread of its own reads, because standard input may be a terminal, a pipe, a file or nothing, and not all of
/// these can be watched by an event loop. It ends at the end of the input or at a graceful shutdown, for which a
/// pipe wakes it; the service itself runs until the shutdown. The descriptor stays open.
package struct StandardInputLines: Service {
    private let descriptor: CInt
    private let receive: @Sendable (String) -> Void

    package init(descriptor: CInt = 0, receive: @escaping @Sendable (String) -> Void) {
        self.descriptor = descriptor
        self.receive = receive
    }

    package func run() async throws {
        var ends: [CInt] = [-1, -1]
        guard pipe(&ends) == 0 else { return try await gracefulShutdown() }
        let (sleeper, waker) = (ends[0], ends[1])
        // A program in the background that reads from its terminal would be stopped; now the read fails instead.
        if isatty(descriptor) == 1 { signal(SIGTTIN, SIG_IGN) }
        await withTaskCancellationOrGracefulShutdownHandler {
            await withCheckedContinuation { (end: CheckedContinuation<Void, Never>) in
                let thread = Thread { [descriptor, receive] in
                    Self.read(descriptor, until: sleeper, receive: receive)
                    end.resume()
                }
                thread.stackSize = 256 * 1024
                thread.start()
            }
        } onCancelOrGracefulShutdown: {
            _ = write(waker, [0], 1)
        }
        // After the end of the input the service goes on: a service that returns would end the whole program.
        try? await gracefulShutdown()
        close(sleeper)
        close(waker)
    }

    private static func read(_ descriptor: CInt, until sleeper: CInt, receive: (String) -> Void) {
        var splitter = LineSplitter()
        var buffer = [UInt8](repeating: 0, count: 4096)
        var watched = [
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: sleeper, events: Int16(POLLIN), revents: 0),
        ]
        while true {
            guard poll(&watched, 2, -1) > 0 else {
                if errno == EINTR { continue }
                return
            }
            if watched[1].revents != 0 { return }
            let count = Foundation.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR || errno == EAGAIN { continue }
            guard count > 0 else { return }
            splitter.lines(after: buffer.prefix(count)).forEach(receive)
        }
    }
}
