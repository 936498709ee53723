#if os(Linux)
import Glibc

/// The library libnftables, which takes commands in nft's language.
///
/// It is loaded at run time, so that a machine without it can run everything but this plane; the program `nft` is not needed.
struct NFTLibrary: Sendable {
    /// Why the kernel or the library did not do what it was told.
    struct Failure: Error, Equatable, CustomStringConvertible {
        let reason: String
        var description: String { reason }
    }

    private typealias MakeContext = @convention(c) @Sendable (UInt32) -> OpaquePointer?
    private typealias UseContext = @convention(c) @Sendable (OpaquePointer) -> Int32
    private typealias FreeContext = @convention(c) @Sendable (OpaquePointer) -> Void
    private typealias Run = @convention(c) @Sendable (OpaquePointer, UnsafePointer<CChar>) -> Int32
    private typealias Text = @convention(c) @Sendable (OpaquePointer) -> UnsafePointer<CChar>?

    private let makeContext: MakeContext
    private let freeContext: FreeContext
    private let bufferErrors: UseContext
    private let bufferOutput: UseContext
    private let runCommands: Run
    private let errorText: Text

    /// Loads the library; nil when it, or a function of it, is missing.
    init?(_ file: String = "libnftables.so.1") {
        // Never unloaded: it is wanted until the process ends.
        guard let handle = dlopen(file, RTLD_NOW) else { return nil }
        guard let makeContext = dlsym(handle, "nft_ctx_new"), let freeContext = dlsym(handle, "nft_ctx_free"),
            let bufferErrors = dlsym(handle, "nft_ctx_buffer_error"),
            let bufferOutput = dlsym(handle, "nft_ctx_buffer_output"),
            let runCommands = dlsym(handle, "nft_run_cmd_from_buffer"),
            let errorText = dlsym(handle, "nft_ctx_get_error_buffer")
        else { return nil }
        self.makeContext = unsafeBitCast(makeContext, to: MakeContext.self)
        self.freeContext = unsafeBitCast(freeContext, to: FreeContext.self)
        self.bufferErrors = unsafeBitCast(bufferErrors, to: UseContext.self)
        self.bufferOutput = unsafeBitCast(bufferOutput, to: UseContext.self)
        self.runCommands = unsafeBitCast(runCommands, to: Run.self)
        self.errorText = unsafeBitCast(errorText, to: Text.self)
    }

    /// Runs one transaction in the calling thread's network namespace: all of it is done, or nothing.
    func run(_ commands: String) throws(Failure) {
        // A context of its own each time: one that is kept would keep a copy of all rules too.
        guard let context = makeContext(0) else { throw Failure(reason: "libnftables has no memory") }
        defer { freeContext(context) }
        _ = bufferErrors(context)
        _ = bufferOutput(context)
        guard runCommands(context, commands) != 0 else { return }
        let said = errorText(context).map { String(cString: $0) } ?? ""
        let lines = said.split(separator: "\n").prefix(3)
        throw Failure(reason: lines.isEmpty ? "libnftables gives no reason" : lines.joined(separator: " "))
    }
}
#endif
