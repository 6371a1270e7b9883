using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace WorktreePool.Settings;

/// <summary>
/// Set-up steps as JSON: <c>[{"name":"npm","command":["npm","ci"],"inputs":["/package-lock.json"],"makes":["/node_modules/"],"timeout":"50s"}]</c>. Bound strictly.
/// </summary>
internal static class SetUpJson
{
    private static readonly JsonDocumentOptions Parsing = new() { AllowDuplicateProperties = false };

    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>What a step can say, and how each is read.</summary>
    private static readonly Dictionary<string, Action<SetUpStep, JsonElement, string>> Fields = new(StringComparer.OrdinalIgnoreCase)
    {
        ["name"] = (step, value, what) => step.Name = Text(value, what),
        ["command"] = (step, value, what) => AddTexts(step.Command, value, what),
        ["inputs"] = (step, value, what) => AddTexts(step.Inputs, value, what),
        ["makes"] = (step, value, what) => AddTexts(step.Makes, value, what),
        ["environment"] = SetEnvironment,
        ["timeout"] = (step, value, what) => step.Timeout = Duration.TryParse(Text(value, what), out TimeSpan time)
            ? time
            : throw new FormatException($"{what} is \"{Text(value, what)}\"; {Duration.Rule}"),
        ["check"] = (step, value, what) => step.Check = Text(value, what) switch
        {
            "status" => MadeCheck.Status,
            "presence" => MadeCheck.Presence,
            string other => throw new FormatException($"{what} is \"{other}\"; it is \"status\" or \"presence\"."),
        },
    };

    /// <summary>What of a step is a list.</summary>
    public static readonly IReadOnlyList<string> Lists = ["command", "inputs", "makes"];

    /// <summary>Reads the steps.</summary>
    /// <exception cref="FormatException">It is no list of steps, or a step says what no step can say.</exception>
    public static IReadOnlyList<SetUpStep> Read(string text)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(text, Parsing);
            return document.RootElement.ValueKind == JsonValueKind.Array
                ? [.. document.RootElement.EnumerateArray().Select(ReadStep)]
                : throw new FormatException($"{text} is no list of steps, each an object with a name and a command.");
        }
        catch (JsonException e)
        {
            throw new FormatException($"it is no valid JSON: {e.Message}");
        }
    }

    /// <summary>The steps on one line; null when there are none.</summary>
    public static string? Write(IEnumerable<SetUpStep> steps)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, Plain))
        {
            json.WriteStartArray();
            foreach (SetUpStep step in steps)
            {
                WriteStep(json, step);
            }

            json.WriteEndArray();
        }

        string text = Encoding.UTF8.GetString(buffer.WrittenSpan);
        return text == "[]" ? null : text;
    }

    private static SetUpStep ReadStep(JsonElement element, int place)
    {
        string what = $"step {place + 1}";
        if (element.ValueKind != JsonValueKind.Object)
        {
            throw new FormatException($"{what} is {element.GetRawText()}; it is an object with a name and a command.");
        }

        var step = new SetUpStep();
        HashSet<string> seen = new(StringComparer.OrdinalIgnoreCase);
        foreach (JsonProperty property in element.EnumerateObject())
        {
            if (!Fields.TryGetValue(property.Name, out Action<SetUpStep, JsonElement, string>? set))
            {
                throw new FormatException($"{what} sets \"{property.Name}\", which is no setting of a step and would have no effect. Did you mean \"{Nearest.To(property.Name, Fields.Keys)}\"?");
            }

            if (!seen.Add(property.Name))
            {
                throw new FormatException($"{what} sets \"{property.Name}\" twice, in different case. Remove one of them.");
            }

            set(step, property.Value, $"{what}: {property.Name}");
        }

        return step;
    }

    private static void WriteStep(Utf8JsonWriter json, SetUpStep step)
    {
        json.WriteStartObject();
        json.WriteString("name", step.Name);
        WriteTexts(json, "command", step.Command);
        WriteTexts(json, "inputs", step.Inputs);
        WriteTexts(json, "makes", step.Makes);
        if (step.Environment.Count > 0)
        {
            json.WriteStartObject("environment");
            foreach ((string name, string value) in step.Environment)
            {
                json.WriteString(name, value);
            }

            json.WriteEndObject();
        }

        json.WriteString("timeout", Duration.Format(step.Timeout));
        json.WriteString("check", step.Check == MadeCheck.Presence ? "presence" : "status");
        json.WriteEndObject();
    }

    private static void WriteTexts(Utf8JsonWriter json, string name, ICollection<string> texts)
    {
        json.WriteStartArray(name);
        foreach (string text in texts)
        {
            json.WriteStringValue(text);
        }

        json.WriteEndArray();
    }

    private static void SetEnvironment(SetUpStep step, JsonElement value, string what)
    {
        if (value.ValueKind != JsonValueKind.Object)
        {
            throw new FormatException($"{what} is {value.GetRawText()}; it is an object of names and values.");
        }

        foreach (JsonProperty variable in value.EnumerateObject())
        {
            step.Environment[variable.Name] = Text(variable.Value, $"{what}: {variable.Name}");
        }
    }

    private static void AddTexts(IList<string> to, JsonElement value, string what)
    {
        if (value.ValueKind != JsonValueKind.Array)
        {
            throw new FormatException($"{what} is {value.GetRawText()}; it is a list of strings.");
        }

        foreach (JsonElement item in value.EnumerateArray())
        {
            to.Add(Text(item, what));
        }
    }

    private static string Text(JsonElement value, string what) => value.ValueKind == JsonValueKind.String
        ? value.GetString()!
        : throw new FormatException($"{what} has {value.GetRawText()}, which is no string.");
}
