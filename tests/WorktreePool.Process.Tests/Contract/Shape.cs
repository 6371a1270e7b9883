using System.Text.Json;

namespace WorktreePool.Process.Tests.Contract;

/// <summary>The kinds of a JSON object's properties, as the command's contract names them. More properties than these are allowed: it may grow.</summary>
internal static class Shape
{
    /// <summary>Checks an object.</summary>
    /// <param name="json">The object.</param>
    /// <param name="shape">
    /// "name:kind" each, separated by spaces. Kinds: string, int, number, bool, time, object, strings (an array of strings), objects (an
    /// array of objects); with "?" null is allowed.
    /// </param>
    public static void ShouldHave(this JsonElement json, string shape)
    {
        foreach (string[] parts in shape.Split(' ').Select(part => part.Split(':')))
        {
            json.TryGetProperty(parts[0], out JsonElement value).Should().BeTrue($"{parts[0]} is promised, and there is only {json}");
            bool mayBeNull = parts[1].EndsWith('?');
            (Is(value, parts[1].TrimEnd('?')) || (mayBeNull && value.ValueKind == JsonValueKind.Null)).Should().BeTrue($"{parts[0]} is promised to be {parts[1]}, and is {value.ValueKind} in {json}");
        }
    }

    private static bool Is(JsonElement value, string kind) => kind switch
    {
        "string" => value.ValueKind == JsonValueKind.String,
        "int" => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out _),
        "number" => value.ValueKind == JsonValueKind.Number,
        "bool" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        "time" => value.ValueKind == JsonValueKind.String && value.TryGetDateTimeOffset(out DateTimeOffset time) && time.Offset == TimeSpan.Zero,
        "object" => value.ValueKind == JsonValueKind.Object,
        "strings" => value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String),
        "objects" => value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.Object),
        _ => throw new ArgumentException($"\"{kind}\" is no kind.", nameof(kind)),
    };
}
