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

    public static byte[] Write<T>(T record, JsonTypeInfo<T> type)
    {
        JsonObject document = JsonSerializer.SerializeToNode(record, type)!.AsObject();
        document.Insert(0, SchemaField, Schema);
        return ReadableJson.Write(ReadableJson.Indented, writer => document.WriteTo(writer));
    }

    /// <summary>Reads a record.</summary>
    /// <exception cref="StateStoreException">It was written by a newer version.</exception>
    /// <exception cref="JsonException">It is damaged.</exception>
    public static T Read<T>(string file, byte[] content, JsonTypeInfo<T> type)
    {
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
