using System.Collections;
using System.Text.Json;

namespace WorktreePool.Cli.Settings;

/// <summary>A pool's effective settings and where each came from: default, pool.json, environment, flag; the later wins.</summary>
internal sealed class PoolSettings
{
    public const string PoolVariable = "WORKTREE_POOL";

    public const string FileName = "pool.json";

    private const string Prefix = "WORKTREE_POOL__";

    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _sources = new(StringComparer.Ordinal);

    private PoolSettings(string directory) => Directory = directory;

    /// <summary>The pool's directory, absolute.</summary>
    public string Directory { get; }

    public string FilePath => Path.Combine(Directory, FileName);

    /// <summary>Finds the pool's directory: flag, environment, or the nearest <c>.worktree-pool</c> upward.</summary>
    public static string? FindDirectory(string? flag)
    {
        if ((flag ?? Environment.GetEnvironmentVariable(PoolVariable)) is { Length: > 0 } named)
        {
            return Path.GetFullPath(named);
        }

        for (string? directory = Environment.CurrentDirectory; directory is not null; directory = Path.GetDirectoryName(directory))
        {
            string pool = Path.Combine(directory, ".worktree-pool");
            if (System.IO.Directory.Exists(pool))
            {
                return pool;
            }
        }

        return null;
    }

    /// <summary>Reads pool.json, if there is one, and the environment.</summary>
    /// <exception cref="PoolConfigurationException">A name or value is wrong.</exception>
    public static PoolSettings Load(string directory)
    {
        var settings = new PoolSettings(directory);
        if (File.Exists(settings.FilePath))
        {
            settings.ReadFile();
        }

        foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            if (variable.Key is string name && name.StartsWith(Prefix, StringComparison.Ordinal))
            {
                settings.Set(Setting.Find(name[Prefix.Length..].Replace("_", "", StringComparison.Ordinal), $"The environment variable {name}").Name, (string?)variable.Value ?? "", $"environment {name}");
            }
        }

        return settings;
    }

    public void Set(string name, string value, string source)
    {
        _values[name] = value;
        _sources[name] = source;
    }

    /// <summary>What pool.json itself would say: the values from it and from flags.</summary>
    public string? Stored(string name) => _sources.TryGetValue(name, out string? source) && !source.StartsWith("environment", StringComparison.Ordinal) ? _values[name] : null;

    public string SourceOf(string name) => _sources.GetValueOrDefault(name, "default");

    /// <summary>Puts the values into the library's options.</summary>
    public void Apply(WorktreePoolOptions options)
    {
        options.PoolDirectory = Directory;
        foreach (Setting setting in Setting.All.Where(setting => _values.ContainsKey(setting.Name)))
        {
            setting.Set(options, _values[setting.Name]);
        }
    }

    /// <summary>Writes pool.json; the old one stays until the new one is complete.</summary>
    public void Save()
    {
        System.IO.Directory.CreateDirectory(Directory);
        string temporary = $"{FilePath}.{Environment.ProcessId}.tmp";
        using (var stream = new FileStream(temporary, FileMode.Create, FileAccess.Write))
        {
            using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true }))
            {
                json.WriteStartObject();
                foreach (Setting setting in Setting.All)
                {
                    if (Stored(setting.Name) is { } value)
                    {
                        WriteValue(json, setting.Name, value);
                    }
                }

                json.WriteEndObject();
            }

            stream.Flush(flushToDisk: true);
        }

        File.Move(temporary, FilePath, overwrite: true);
    }

    private static void WriteValue(Utf8JsonWriter json, string name, string value)
    {
        if (name == "keep")
        {
            json.WriteStartArray(name);
            foreach (string pattern in value.Split('\n'))
            {
                json.WriteStringValue(pattern);
            }

            json.WriteEndArray();
        }
        else if (name == "slots" && int.TryParse(value, out int number))
        {
            json.WriteNumber(name, number);
        }
        else
        {
            json.WriteString(name, value);
        }
    }

    private void ReadFile()
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllText(FilePath));
            foreach (JsonProperty property in document.RootElement.EnumerateObject())
            {
                string value = property.Value.ValueKind switch
                {
                    JsonValueKind.Array => string.Join('\n', property.Value.EnumerateArray().Select(item => item.GetString())),
                    JsonValueKind.String => property.Value.GetString()!,
                    _ => property.Value.GetRawText(),
                };
                Set(Setting.Find(property.Name, FilePath).Name, value, FileName);
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new PoolConfigurationException($"{FilePath} is no valid settings file: {e.Message} Nothing was changed.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new PoolConfigurationException($"{FilePath} cannot be read: {e.Message}");
        }
    }
}
