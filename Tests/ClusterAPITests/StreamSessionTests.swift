import ClusterAPI
import ClusterModel
import NIOCore
import NIOEmbedded
import NIOWebSocket
import Synchronization
import Testing

/// A program in a pod that a test plays.
private final class PlayedProgram: PodSessions, PodSession {
    enum Call: Equatable, Sendable {
        case write(String)
        case closeInput
        case resize(UInt16, UInt16)
        case cancel
    }

    let calls: AsyncStream<Call>
    private let continuation: AsyncStream<Call>.Continuation
    private let report = Mutex<(@Sendable (SessionEvent) -> Void)?>(nil)

    init() { (calls, continuation) = AsyncStream.makeStream() }

    func open(_ request: SessionRequest, report: @escaping @Sendable (SessionEvent) -> Void) -> any PodSession {
        self.report.withLock { $0 = report }
        return self
    }

    func does(_ event: SessionEvent) { report.withLock { $0 }?(event) }

    func write(_ bytes: [UInt8]) { continuation.yield(.write(String(decoding: bytes, as: UTF8.self))) }
    func closeInput() { continuation.yield(.closeInput) }
    func resize(columns: UInt16, rows: UInt16) { continuation.yield(.resize(columns, rows)) }
    func cancel() { continuation.yield(.cancel) }
}

/// Keeps what is sent, as the socket of a client that does not read.
private final class Holding: ChannelOutboundHandler, Sendable {
    typealias OutboundIn = WebSocketFrame

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        // Failed once the channel closes, so that no promise is lost.
        if let promise { context.channel.closeFuture.whenComplete { _ in promise.fail(ChannelError.eof) } }
    }
}

@Suite("exec and attach over a WebSocket (kubectl-wire 11)", .timeLimit(.minutes(1)))
struct StreamSessionTests {
    private let program = PlayedProgram()

    private func channel(isHeld: Bool = false) async throws -> NIOAsyncTestingChannel {
        let request = SessionRequest(
            .container, pod: Pod(KubeObject(.pods, namespace: "kiada", name: "p")), container: "c", hasInput: true)
        let program = program
        let channel = try await NIOAsyncTestingChannel { channel in
            if isHeld { try channel.pipeline.syncOperations.addHandler(Holding()) }
            try channel.pipeline.syncOperations.addHandler(StreamSessionHandler(program, request))
        }
        try await channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).get()
        return channel
    }

    private func frame(_ opcode: WebSocketOpcode, _ bytes: [UInt8]) -> WebSocketFrame {
        WebSocketFrame(fin: true, opcode: opcode, data: ByteBuffer(bytes: bytes))
    }

    /// Lets the program do something, and the session take it.
    private func does(_ event: SessionEvent, _ channel: NIOAsyncTestingChannel) async {
        program.does(event)
        await channel.testingEventLoop.run()
    }

    /// The next message to the client: its channel, and the rest as text.
    private func message(_ channel: NIOAsyncTestingChannel) async throws -> (UInt8, String) {
        var data = try #require(await channel.readOutbound(as: WebSocketFrame.self)).data
        return (data.readInteger() ?? 0, String(buffer: data))
    }

    @Test("K46: a session that is silent for 70 s lives on by the client's pings, each answered with its payload")
    func silence() async throws {
        let channel = try await channel()
        await does(.started, channel)
        for number in UInt8(1)...14 {
            await channel.testingEventLoop.advanceTime(by: .seconds(5))
            try await channel.writeInbound(frame(.ping, [number]))
            let pong = try #require(await channel.readOutbound(as: WebSocketFrame.self))
            #expect(pong.opcode == .pong && Array(pong.data.readableBytesView) == [number])
        }
        await does(.output(Array("awake".utf8), isError: false), channel)
        await does(.ended(code: 0), channel)
        #expect(try await message(channel) == (1, "awake"))
        #expect(try await message(channel).0 == 3)
        try await channel.close()
    }

    @Test("Input waits until the program has started; then come the bytes, the sizes and the end, in order")
    func input() async throws {
        let channel = try await channel()
        try await channel.writeInbound(frame(.binary, [0] + Array("early ".utf8)))
        try await channel.writeInbound(frame(.binary, [4] + Array(#"{"Width":91,"Height":23}"#.utf8)))
        try await channel.writeInbound(frame(.binary, [0] + Array("late".utf8)))
        try await channel.writeInbound(frame(.binary, [255, 0]))
        var calls = program.calls.makeAsyncIterator()
        #expect(await calls.next() == .resize(91, 23))
        await does(.started, channel)
        #expect(await calls.next() == .write("early "))
        #expect(await calls.next() == .write("late"))
        #expect(await calls.next() == .closeInput)
        try await channel.close()
        #expect(await calls.next() == .cancel)
    }

    @Test("Output has channels 1 and 2, at most 32 kB a message; the status and a normal closure end it")
    func output() async throws {
        let channel = try await channel()
        await does(.output(Array(repeating: 0x78, count: 40_000), isError: false), channel)
        await does(.output(Array("e".utf8), isError: true), channel)
        await does(.ended(code: 3), channel)
        #expect(try await message(channel).1.utf8.count == 32768)
        #expect(try await message(channel).1.utf8.count == 40_000 - 32768)
        #expect(try await message(channel) == (2, "e"))
        let (number, text) = try await message(channel)
        #expect(number == 3 && text.contains(#""causes":[{"message":"3","reason":"ExitCode"}]"#))
        let close = try #require(await channel.readOutbound(as: WebSocketFrame.self))
        #expect(close.opcode == .connectionClose && Array(close.data.readableBytesView) == [0x03, 0xE8])
        try await channel.close()
    }

    @Test("A client that does not read is cut off once 64 MB wait for it")
    func slow() async throws {
        let channel = try await channel(isHeld: true)
        let chunk = [UInt8](repeating: 0, count: 1 << 20)
        for _ in 0..<66 { await does(.output(chunk, isError: false), channel) }
        #expect(!channel.isActive)
        var calls = program.calls.makeAsyncIterator()
        #expect(await calls.next() == .cancel)
    }
}
