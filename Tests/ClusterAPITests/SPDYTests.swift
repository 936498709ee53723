import Testing

@testable import ClusterAPI

@Suite("SPDY/3.1 as port-forward uses it (kubectl-wire 11)")
struct SPDYTests {
    @Test("[V] header blocks of one connection, in order")
    func headerBlocks() throws {
        #expect(SPDYHeaders.dictionary.count == 1423)
        let headers = SPDYHeaders()
        let first = bytes(
            "78f9e3c6a7c202253a703a2b294a4dcc851625aca9a0808614cb45a024cc6461c0c0c0c0590489c44c50e2663400000000ffff")
        #expect(try headers.headers(in: first) == ["streamtype": "error", "port": "80", "requestid": "0"])
        let second = bytes("c2aa15540a2512d209000000ffff")
        #expect(try headers.headers(in: second) == ["streamtype": "data", "port": "80", "requestid": "0"])
    }

    @Test("[V] another connection, of exec")
    func execBlocks() throws {
        let headers = SPDYHeaders()
        for (hex, type) in [
            ("78f9e3c6a7c26260606004a7b392a2d4c45c6851c29a0a0a6800000000ffff", "error"),
            ("c22ac5565c92925f5a02000000ffff", "stdout"), ("c229975a5404000000ffff", "stderr"),
        ] { #expect(try headers.headers(in: bytes(hex)) == ["streamtype": type]) }
    }

    @Test("nonsense is refused, and never a crash")
    func malformed() {
        #expect(throws: SPDYHeaders.Malformed.self) { try SPDYHeaders().headers(in: [1, 2, 3, 4]) }
        #expect(throws: SPDYHeaders.Malformed.self) { try SPDYHeaders().headers(in: []) }
        var control: [UInt8] = [0x80, 0x04, 0, 1, 0, 0, 0, 0]
        #expect(throws: SPDYFrame.Malformed.self) { try SPDYFrame.next(from: &control) }
        var short: [UInt8] = [0x80, 0x03, 0, 1, 0, 0, 0, 2, 0, 0]
        #expect(throws: SPDYFrame.Malformed.self) { try SPDYFrame.next(from: &short) }
    }

    @Test("frames come out whole, wherever the stream was cut")
    func frames() throws {
        let sent = SPDYFrame.data(5, Array("hello".utf8)) + SPDYFrame.ping(3) + SPDYFrame.data(5, [], isLast: true)
        var buffer: [UInt8] = []
        var found: [SPDYFrame] = []
        for byte in sent {
            buffer.append(byte)
            while let frame = try SPDYFrame.next(from: &buffer) { found.append(frame) }
        }
        #expect(
            found == [
                .data(stream: 5, bytes: Array("hello".utf8), isLast: false), .ping(id: 3),
                .data(stream: 5, bytes: [], isLast: true),
            ])
        #expect(buffer.isEmpty)
    }
}
