using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace WorktreePool.FileState;

/// <summary>The content of a state file: the number of the form it is written in, then the record's own fields.</summary>
internal static class StateDocument
{
    /// <summary>The form this version writes, and the newest it reads.</summary>
    private const int Schema = 1;

    private const string SchemaField = "schema";

    private static readonly JsonDocumentOptions Parsing = new() { AllowDuplicateProperties = false };

    /// <summary>Where the fields of an object that is written for people begin.</summary>
    private static ReadOnlySpan<byte> Opening => "{\n"u8;

    private static readonly byte[] OpeningWithSchema = Encoding.UTF8.GetBytes($"{{\n  \"{SchemaField}\": {Schema},\n");

    public static byte[] Write<T>(T record, JsonTypeInfo<T> type)
    {
        byte[] fields = ReadableJson.Write(ReadableJson.Indented, writer => JsonSerializer.Serialize(writer, record, type));
        return fields.AsSpan().StartsWith(Opening) ? [.. OpeningWithSchema, .. fields.AsSpan(Opening.Length)] : throw new InvalidOperationException("a record has at least one field, each on a line of its own.");
    }

    /// <summary>Reads a record.</summary>
    /// <exception cref="StateStoreException">It was written by a newer version.</exception>
    /// <exception cref="JsonException">It is damaged.</exception>
    public static T Read<T>(string file, byte[] content, JsonTypeInfo<T> type)
    {
        if (content.AsSpan().StartsWith(OpeningWithSchema))
        {
            // As this version writes it: the record's own fields follow, in an object like any other.
            byte[] fields = content[(OpeningWithSchema.Length - 1)..];
            fields[0] = (byte)'{';
            return JsonSerializer.Deserialize(fields, type) ?? throw new JsonException("it is empty.");
        }

        if (JsonNode.Parse(content, documentOptions: Parsing) is not JsonObject document)
        {
            throw new JsonException("it is no JSON object.");
        }

        document.Remove(SchemaField, out JsonNode? field);
        return field is JsonValue value && value.TryGetValue(out int schema) && schema >= 1
            ? schema > Schema
                ? throw new StateStoreException($"{file} was written by a newer version of WorktreePool: it has schema {schema}, and this version reads {Schema}. Nothing was changed. Use the newer version for this pool everywhere.")
                : document.Deserialize(type) ?? throw new JsonException("it is empty.")
            : throw new JsonException("it has no schema number.");
    }
}
