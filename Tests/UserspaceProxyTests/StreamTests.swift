#if os(Linux)
import DataPlaneContract
import Glibc
import KiadaTesting
import NetTypes
import ServiceRouting
import Testing
import UserspaceProxy

extension UserspacePlaneTests {
    /// How bytes get through, whatever their number and whoever is slow.
    @Suite(.serialized) struct Streams {
        @Test(
            "messages of every size come back whole and in order over one connection", arguments: PlaneUnderTest.engines
        )
        func sizes(_ engine: UserspaceEngine) async throws {
            let server = TestServer(.converse)
            let frontend = PlaneUnderTest.freeFrontend()
            try await PlaneUnderTest.run(on: engine) { plane in
                await plane.apply(PlaneUnderTest.diff([PlaneUnderTest.route(frontend, [server.endpoint])]))
                let client = TestSocket(SOCK_STREAM)
                try #require(client.connect(to: frontend.address) == 0)
                var sent: UInt64 = 0
                for size in [1, 2, 8191, 8192, 8193, 20_000, 65_536, 70_000, 1, 200_000, 5] {
                    let message = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 131 &+ size) }
                    #expect(client.write(message))
                    #expect(client.read(exactly: size) == message)
                    sent += UInt64(size)
                }
                #expect(await plane.counters().map(\.bytesToClient) == [sent])
                client.finish()
                #expect(client.readAll()?.isEmpty == true)
                #expect(await plane.counters().map(\.bytesToEndpoint) == [sent])
            }
        }

        @Test(
            "many connections at once, each with a request and an end, lose nothing", arguments: PlaneUnderTest.engines)
        func crowd(_ engine: UserspaceEngine) async throws {
            let server = TestServer(.echo)
            let frontend = PlaneUnderTest.freeFrontend()
            try await PlaneUnderTest.run(on: engine) { plane in
                await plane.apply(PlaneUnderTest.diff([PlaneUnderTest.route(frontend, [server.endpoint])]))
                let clients = (0..<150).map { _ in TestSocket(SOCK_STREAM) }
                // More than the shared buffers of a loop hold.
                let message = (0..<40_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
                for client in clients { #expect(client.connect(to: frontend.address) == 0) }
                for client in clients { #expect(client.write(message)) }
                for client in clients { client.finish() }
                for client in clients { #expect(client.readAll() == message) }
                #expect(await plane.counters().map(\.active) == [0])
            }
        }

        @Test(
            "a client that does not read holds up nobody else, and gets all in the end",
            arguments: PlaneUnderTest.engines)
        func slowReader(_ engine: UserspaceEngine) async throws {
            let server = TestServer(.converse)
            let frontend = PlaneUnderTest.freeFrontend()
            var configuration = UserspaceConfiguration()
            configuration.loops = 1
            try await PlaneUnderTest.run(on: engine, configuration) { plane in
                await plane.apply(PlaneUnderTest.diff([PlaneUnderTest.route(frontend, [server.endpoint])]))
                let slow = TestSocket(SOCK_STREAM)
                try #require(slow.connect(to: frontend.address) == 0)
                var written = 0
                // Until nothing more goes in: all buffers on the way are full.
                let part = [UInt8](repeating: 7, count: 16_384)
                while true {
                    let count = part.withUnsafeBytes {
                        send(slow.descriptor, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT))
                    }
                    if count > 0 { written += count } else if !slow.hasRoom(milliseconds: 200) { break }
                }
                let quick = TestSocket(SOCK_STREAM)
                try #require(quick.connect(to: frontend.address) == 0)
                for _ in 0..<100 {
                    quick.write("hello")
                    #expect(quick.read(exactly: 5) == Array("hello".utf8))
                }
                slow.finish()
                #expect(slow.readAll()?.count == written)
            }
        }

        @Test("a client's reset reaches the endpoint, and costs nothing for long", arguments: PlaneUnderTest.engines)
        func reset(_ engine: UserspaceEngine) async throws {
            let server = TestServer(.converse)
            let frontend = PlaneUnderTest.freeFrontend()
            try await PlaneUnderTest.run(on: engine) { plane in
                await plane.apply(PlaneUnderTest.diff([PlaneUnderTest.route(frontend, [server.endpoint])]))
                for _ in 0..<50 {
                    let client = TestSocket(SOCK_STREAM)
                    try #require(client.connect(to: frontend.address) == 0)
                    client.write("hello")
                    #expect(client.read(exactly: 5) == Array("hello".utf8))
                    client.endAbruptly()
                }
                let areGone = await eventually { await plane.counters().map(\.active) == [0] }
                #expect(areGone)
            }
        }
    }
}

extension TestSocket {
    /// Exactly so many bytes; less at the end or after an error.
    fileprivate func read(exactly count: Int) -> [UInt8] {
        var all: [UInt8] = []
        while all.count < count, let part = read(count - all.count), !part.isEmpty { all += part }
        return all
    }

    fileprivate func hasRoom(milliseconds: Int32) -> Bool {
        var query = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return poll(&query, 1, milliseconds) == 1
    }
}
#endif
