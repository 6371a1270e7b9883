using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace WorktreePool.FileState;

/// <summary>
/// How records are written: indented for people, strict when read. A field that this version does not know is an error, because
/// writing the record back would lose it; a newer version that adds one raises the schema number.
/// </summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Strict,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    IgnoreReadOnlyProperties = true,
    Converters = [typeof(LeaseOwnerConverter), typeof(UtcConverter), typeof(CamelCaseEnum<SlotState>), typeof(CamelCaseEnum<SlotYield>), typeof(CamelCaseEnum<ReleaseMode>)])]
[JsonSerializable(typeof(SlotRecord))]
[JsonSerializable(typeof(PoolRecord))]
[JsonSerializable(typeof(OwnerDocument))]
internal sealed partial class StateJson : JsonSerializerContext;

/// <summary>The history's form: one entry a line. Read leniently, for it only tells what was.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(UtcConverter), typeof(CamelCaseEnum<HistoryEvent>)])]
[JsonSerializable(typeof(HistoryEntry))]
internal sealed partial class HistoryJson : JsonSerializerContext;

/// <summary>How text is written: keys, reasons and paths stay readable, for nothing here is ever put into HTML.</summary>
internal static class ReadableJson
{
    /// <summary>For a file that people open.</summary>
    public static JsonWriterOptions Indented { get; } = new() { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>For a file of lines.</summary>
    public static JsonWriterOptions OneLine { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    [ThreadStatic]
    private static ArrayBufferWriter<byte>? _buffer;

    /// <summary>A text that ends its line.</summary>
    public static byte[] Write(JsonWriterOptions options, Action<Utf8JsonWriter> content)
    {
        ArrayBufferWriter<byte> buffer = _buffer ??= new ArrayBufferWriter<byte>(4096);
        buffer.ResetWrittenCount();
        using (var writer = new Utf8JsonWriter(buffer, options))
        {
            content(writer);
        }

        buffer.Write("\n"u8);
        return buffer.WrittenSpan.ToArray();
    }
}
