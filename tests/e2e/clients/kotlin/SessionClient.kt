// One mobile front end with Apollo Kotlin's own runtime, as its documentation says to set it up: a subscription that is
// opened anew after each close, with a fresh token, and queries over an expiring token.
//
//   java -cp ... SessionClientKt URL ACCESS_TOKEN REFRESH_TOKEN SUBSCRIPTION QUERY
//
// It tells and is told the same lines as session_client.mjs. Its operations are text, and their models are written by hand
// below, for the generator of models is a plug-in of Gradle.
import com.apollographql.apollo.ApolloClient
import com.apollographql.apollo.annotations.ApolloExperimental
import com.apollographql.apollo.api.Adapter
import com.apollographql.apollo.api.AnyAdapter
import com.apollographql.apollo.api.ApolloRequest
import com.apollographql.apollo.api.ApolloResponse
import com.apollographql.apollo.api.CompiledField
import com.apollographql.apollo.api.CustomScalarAdapters
import com.apollographql.apollo.api.ObjectType
import com.apollographql.apollo.api.Operation
import com.apollographql.apollo.api.Query
import com.apollographql.apollo.api.Subscription
import com.apollographql.apollo.api.json.JsonReader
import com.apollographql.apollo.api.json.JsonWriter
import com.apollographql.apollo.api.json.buildJsonString
import com.apollographql.apollo.api.json.jsonReader
import com.apollographql.apollo.interceptor.ApolloInterceptor
import com.apollographql.apollo.interceptor.ApolloInterceptorChain
import com.apollographql.apollo.network.websocket.GraphQLWsProtocol
import com.apollographql.apollo.network.websocket.WebSocketNetworkTransport
import java.util.Base64
import kotlin.system.exitProcess
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.emitAll
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.onEach
import kotlinx.coroutines.flow.retryWhen
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import okhttp3.MediaType.Companion.toMediaType
import okhttp3.OkHttpClient
import okhttp3.Request
import okhttp3.RequestBody.Companion.toRequestBody
import okio.Buffer

const val FIRST_PAUSE_MILLISECONDS = 250L
const val LONGEST_PAUSE_MILLISECONDS = 30_000L

class Told(val value: Any?) : Query.Data, Subscription.Data

object ToldAdapter : Adapter<Told> {
  override fun fromJson(reader: JsonReader, customScalarAdapters: CustomScalarAdapters) =
    Told(AnyAdapter.fromJson(reader, customScalarAdapters))

  override fun toJson(writer: JsonWriter, customScalarAdapters: CustomScalarAdapters, value: Told) =
    AnyAdapter.toJson(writer, customScalarAdapters, value.value!!)
}

abstract class Text(private val text: String, private val root: String) : Operation<Told> {
  override fun document() = text
  override fun name() = ""
  override fun id() = text
  override fun adapter() = ToldAdapter
  override fun rootField() = CompiledField.Builder("data", ObjectType.Builder(root).build()).build()
  override fun serializeVariables(writer: JsonWriter, adapters: CustomScalarAdapters, withDefaultValues: Boolean) {}
}

class Asked(text: String) : Text(text, "Query"), Query<Told>

class Live(text: String) : Text(text, "Subscription"), Subscription<Told>

fun json(value: Any?) = buildJsonString { AnyAdapter.toJson(this, CustomScalarAdapters.Empty, value!!) }

fun parsed(text: String) = AnyAdapter.fromJson(Buffer().writeUtf8(text).jsonReader(), CustomScalarAdapters.Empty)

@Synchronized fun say(what: String, value: Any?) = println(json(mapOf(what to value)))

/** The tokens, renewed by one caller at a time. */
class Session(private val url: String, private var accessToken: String, private var refreshToken: String) {
  private val http = OkHttpClient()
  private val mutex = Mutex()
  private var refreshes = 0

  val bearer get() = "Bearer $accessToken"

  private fun isExpired(): Boolean {
    val claims = parsed(String(Base64.getUrlDecoder().decode(accessToken.split(".")[1]))) as Map<*, *>
    return (claims["exp"] as Number).toLong() * 1000 <= System.currentTimeMillis()
  }

  suspend fun freshBearer(): String = mutex.withLock {
    if (isExpired()) refresh()
    bearer
  }

  private fun refresh() {
    val mutation = "mutation (\$input: RefreshInput!) { refresh(input: \$input) { accessToken refreshToken } }"
    val body = mapOf("query" to mutation, "variables" to mapOf("input" to mapOf("refreshToken" to refreshToken)))
    val request = Request.Builder().url(url).post(json(body).toRequestBody("application/json".toMediaType())).build()
    val answer = http.newCall(request).execute().use { parsed(it.body!!.string()) as Map<*, *> }
    val renewed = (answer["data"] as Map<*, *>)["refresh"] as Map<*, *>
    accessToken = renewed["accessToken"] as String
    refreshToken = renewed["refreshToken"] as String
    say("refreshed", ++refreshes)
  }
}

/** Adds the token to what goes over HTTP, and asks once more where a field says that the token is over. */
class Authorization(private val session: Session) : ApolloInterceptor {
  override fun <D : Operation.Data> intercept(
    request: ApolloRequest<D>, chain: ApolloInterceptorChain,
  ): Flow<ApolloResponse<D>> {
    if (request.operation is Subscription) return chain.proceed(request) // the connection's payload carries it
    fun asked() = chain.proceed(request.newBuilder().addHttpHeader("authorization", session.bearer).build())
    return flow {
      asked().collect { response ->
        val isRefused = response.errors.orEmpty().any { it.extensions?.get("code") == "UNAUTHENTICATED" }
        if (!isRefused) return@collect emit(response)
        session.freshBearer()
        emitAll(asked())
      }
    }
  }
}

@OptIn(ApolloExperimental::class)
fun main(arguments: Array<String>): Unit = runBlocking {
  val (url, accessToken, refreshToken, subscription, query) = arguments
  val session = Session(url, accessToken, refreshToken)
  var connections = 0
  val client = ApolloClient.Builder()
    .serverUrl(url)
    .addInterceptor(Authorization(session))
    .subscriptionNetworkTransport(
      WebSocketNetworkTransport.Builder()
        .serverUrl(url.replaceFirst("http", "ws"))
        .wsProtocol(
          GraphQLWsProtocol(
            connectionPayload = {
              mapOf("Authorization" to session.freshBearer()).also { say("connected", ++connections) }
            },
          ),
        )
        .build(),
    )
    .build()
  CoroutineScope(Dispatchers.IO).launch {
    client.subscription(Live(subscription)).toFlow()
      .onEach { response -> response.exception?.let { throw it } }
      // not by `retryOnError`, which takes a close by the server for the end, whatever its code
      .retryWhen { _, attempt ->
        delay(minOf(LONGEST_PAUSE_MILLISECONDS, FIRST_PAUSE_MILLISECONDS shl minOf(attempt, 10L).toInt()))
        true
      }
      .collect { response ->
        if (response.errors == null) say("event", response.data!!.value) else say("ended", response.errors.toString())
      }
    say("ended", "completed")
  }
  while (readlnOrNull() != null) {
    val response = client.query(Asked(query)).execute()
    val trouble = response.exception ?: response.errors
    if (trouble == null) say("answer", response.data!!.value) else say("failed", trouble.toString())
  }
  exitProcess(0)
}
