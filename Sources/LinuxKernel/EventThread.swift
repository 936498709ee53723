#if os(Linux)
import CLinux
import Glibc

/// A thread that waits for a descriptor to become readable and then calls; it sleeps meanwhile.
///
/// `@unchecked Sendable`: only `stop()` and the thread itself use the descriptors, and `stop()` waits for the thread.
package final class EventThread: @unchecked Sendable {
    private let watched: Int32
    private let wakeup: Int32
    private let body: @Sendable () -> Void
    private var thread = pthread_t()

    /// nil when the system gives no thread or descriptor.
    package init?(watching descriptor: Int32, _ body: @escaping @Sendable () -> Void) {
        watched = descriptor
        self.body = body
        wakeup = eventfd(0, Int32(EFD_CLOEXEC))
        guard wakeup >= 0 else { return nil }
        let own = Unmanaged.passRetained(self)
        let code = pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<EventThread>.fromOpaque(argument).takeRetainedValue().run() }
                return nil
            }, own.toOpaque())
        guard code == 0 else {
            own.release()
            return nil
        }
    }

    deinit { if wakeup >= 0 { close(wakeup) } }

    private func run() {
        var descriptors = [
            pollfd(fd: watched, events: Int16(POLLIN), revents: 0),
            pollfd(fd: wakeup, events: Int16(POLLIN), revents: 0),
        ]
        while true {
            guard poll(&descriptors, 2, -1) >= 0 || errno == EINTR else { return }
            if descriptors[1].revents != 0 { return }
            if descriptors[0].revents != 0 { body() }
        }
    }

    /// Returns when the thread has ended; to be called once.
    package func stop() {
        var one: UInt64 = 1
        write(wakeup, &one, 8)
        pthread_join(thread, nil)
    }
}
#endif
